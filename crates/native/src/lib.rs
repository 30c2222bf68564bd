//! The extension module `hauberk._native`: where Python and Rust meet, and the only crate that names pyo3.
//!
//! Bytes and batches cross here, never a single request. Whatever may take long releases the GIL. What Python sees is described in
//! `src/hauberk/_native.pyi`.

mod allocator;
mod captures;
mod checks;
mod discovery;
mod gateway;
mod learner;
mod opened;
mod requests;
mod scores;
mod sketches;
mod validator;

use pyo3::prelude::*;

/// The allocator of all Rust code in the process; the interpreter keeps its own. Measured on plain forwarding in `benchmarks/gateway`.
#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator;

/// hauberk's Rust core.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(checks::check_document, module)?)?;
    module.add_function(wrap_pyfunction!(checks::document_as_json, module)?)?;
    module.add_function(wrap_pyfunction!(checks::check_expression, module)?)?;
    module.add_function(wrap_pyfunction!(checks::expression_tree, module)?)?;
    module.add_function(wrap_pyfunction!(checks::expression_fields, module)?)?;
    module.add_function(wrap_pyfunction!(requests::check_request, module)?)?;
    module.add_function(wrap_pyfunction!(gateway::log_to_stderr, module)?)?;
    module.add_function(wrap_pyfunction!(sketches::merge_sketches, module)?)?;
    module.add_function(wrap_pyfunction!(sketches::sketch_quantiles, module)?)?;
    module.add_class::<captures::Capture>()?;
    module.add_class::<gateway::Gateway>()?;
    module.add_class::<discovery::Discovery>()?;
    module.add_class::<discovery::Survey>()?;
    module.add_class::<learner::Learner>()?;
    module.add_class::<scores::Scorer>()?;
    module.add_class::<validator::Validator>()?;
    module.add("API_THRESHOLD", hauberk_traffic::API_THRESHOLD)?;
    module.add(
        "CaptureError",
        module.py().get_type::<captures::CaptureError>(),
    )?;
    module.add(
        "ExpressionError",
        module.py().get_type::<checks::ExpressionError>(),
    )?;
    module.add(
        "GatewayError",
        module.py().get_type::<gateway::GatewayError>(),
    )?;
    module.add(
        "RefusedError",
        module.py().get_type::<gateway::RefusedError>(),
    )?;
    Ok(())
}
