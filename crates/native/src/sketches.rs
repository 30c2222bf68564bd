//! Sketches of durations, as gateways write them: put together, and asked for quantiles.

use hauberk_traffic::{Sketch, SketchError};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Put sketches together.
#[pyfunction]
#[allow(
    clippy::needless_pass_by_value,
    reason = "pyo3 makes the list from Python's"
)]
pub fn merge_sketches(py: Python<'_>, sketches: Vec<String>) -> PyResult<String> {
    py.detach(|| Ok(merged(&sketches)?.to_text()))
        .map_err(|error: SketchError| PyValueError::new_err(error.to_string()))
}

/// Give quantiles of all that sketches have counted together.
#[pyfunction]
#[allow(
    clippy::needless_pass_by_value,
    reason = "pyo3 makes the list from Python's"
)]
pub fn sketch_quantiles(
    py: Python<'_>,
    sketches: Vec<String>,
    quantiles: Vec<f64>,
) -> PyResult<Vec<Option<f64>>> {
    py.detach(|| {
        let sketch = merged(&sketches)?;
        Ok(quantiles.iter().map(|one| sketch.quantile(*one)).collect())
    })
    .map_err(|error: SketchError| PyValueError::new_err(error.to_string()))
}

fn merged(sketches: &[String]) -> Result<Sketch, SketchError> {
    let mut all = Sketch::default();
    for text in sketches {
        all.merge(&Sketch::from_text(text)?);
    }
    Ok(all)
}
