//! Checks that the control plane makes before it stores something: OpenAPI documents and rule expressions.

use hauberk_gateway::rules::{self, Expression};
use hauberk_openapi::{Limits, Problem, load, to_json};
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde_json::json;

create_exception!(
    _native,
    ExpressionError,
    PyValueError,
    "A rule's expression does not compile."
);

/// Read an OpenAPI document and tell all that is wrong with it, and the operations it declares.
#[pyfunction]
pub fn check_document<'py>(py: Python<'py>, source: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let text = py.detach(|| document_report(source).to_string());
    py.import("json")?.call_method1("loads", (text,))
}

fn document_report(source: &[u8]) -> serde_json::Value {
    match load(source, &Limits::default()) {
        Ok(loaded) => json!({
            "ok": true,
            "title": loaded.document.title(),
            "openapi_version": loaded.document.openapi_version(),
            "problems": loaded.warnings,
            "operations": loaded.document.operations(),
        }),
        Err(problems) => refusal_report(&problems),
    }
}

fn refusal_report(problems: &[Problem]) -> serde_json::Value {
    json!({ "ok": false, "title": null, "openapi_version": null, "problems": problems, "operations": [] })
}

/// Give an OpenAPI document, JSON or YAML, as JSON text.
#[pyfunction]
pub fn document_as_json(py: Python<'_>, source: &[u8]) -> PyResult<String> {
    py.detach(|| to_json(source, &Limits::default()).map(|document| document.to_string()))
        .map_err(|problem| PyValueError::new_err(problem.message))
}

/// Compile a rule's expression and throw the result away.
#[pyfunction]
pub fn check_expression(py: Python<'_>, expression: &str) -> PyResult<()> {
    compiled(py, expression).map(drop)
}

/// Give a rule's expression as data: its tree, as JSON text.
#[pyfunction]
pub fn expression_tree(py: Python<'_>, expression: &str) -> PyResult<String> {
    Ok(compiled(py, expression)?.tree().to_string())
}

/// List the fields an expression may name: name, whether it is text (else it is true or false), and what it is.
#[pyfunction]
pub fn expression_fields() -> Vec<(&'static str, bool, &'static str)> {
    rules::Field::all()
        .map(|field| {
            let is_text = matches!(field, rules::Field::Text(_));
            (field.name(), is_text, field.meaning())
        })
        .collect()
}

fn compiled(py: Python<'_>, expression: &str) -> PyResult<Expression> {
    let error = match rules::compile(expression) {
        Ok(expression) => return Ok(expression),
        Err(error) => error,
    };
    let raised = ExpressionError::new_err(error.to_string());
    let value = raised.value(py);
    value.setattr("column", error.column)?;
    value.setattr("found", error.found)?;
    value.setattr("expected", error.expected)?;
    Err(raised)
}
