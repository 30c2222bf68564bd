//! Tests against real listeners.
