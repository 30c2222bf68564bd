//! Signatures.
#![allow(missing_docs, unused, clippy::all, clippy::pedantic)]
use crate::*;
use serde::Serialize;
use smallvec::SmallVec;
use std::marker::PhantomData;

pub struct Loaded { pub document: Document, pub warnings: Vec<Problem> }
pub fn load(source: &[u8], limits: &Limits) -> Result<Loaded, Vec<Problem>> { Err(Vec::new()) }
pub struct Document(Vec<DocumentOperation>);
impl Document {
    pub fn title(&self) -> &str { "" }
    pub fn openapi_version(&self) -> &str { "" }
    pub fn operations(&self) -> &[DocumentOperation] { &self.0 }
    pub fn find(&self, method: &str, path: &str) -> Option<&Operation> { None }
}
#[derive(Clone, Debug, Serialize)]
pub struct DocumentOperation { pub method: String, pub path: String, pub hosts: Vec<String>, pub endpoint: String, pub operation_id: Option<String> }
/// Cheap to clone (one `Arc`).
#[derive(Clone)]
pub struct Operation(std::sync::Arc<()>);
impl Operation {
    pub fn validate_head(&self, head: &RequestHead<'_>, policy: &Policy) -> Result<BodyPlan, Violation> { Ok(BodyPlan::Pass) }
    pub fn validate_body(&self, plan: &BodyPlan, body: &[u8], policy: &Policy) -> Result<(), Violation> { Ok(()) }
    pub fn violations(&self, head: &RequestHead<'_>, body: &[u8], policy: &Policy) -> Vec<Violation> { Vec::new() }
}
pub struct RequestHead<'a> { pub path_variables: &'a [&'a str], pub query: Option<&'a str>, pub headers: &'a http::HeaderMap, pub has_body: bool }
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyPlan { None, Check(BodyCheck), Pass }
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyCheck(usize);
pub struct Router<T>(PhantomData<T>);
pub struct RouterBuilder<T>(PhantomData<T>);
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteError { Duplicate { method: String, endpoint: String }, Template { endpoint: String, reason: String } }
impl std::fmt::Display for RouteError { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { Ok(()) } }
impl std::error::Error for RouteError {}
impl<T> Default for RouterBuilder<T> { fn default() -> Self { Self::new() } }
impl<T> RouterBuilder<T> {
    pub fn new() -> Self { Self(PhantomData) }
    pub fn insert(&mut self, method: &str, endpoint: &str, value: T) -> Result<(), RouteError> { Ok(()) }
    pub fn build(self) -> Router<T> { Router(PhantomData) }
}
pub struct Match<'r, 'p, T> { pub value: &'r T, pub variables: SmallVec<[&'p str; 4]> }
impl<T> Router<T> {
    pub fn find<'r, 'p>(&'r self, method: &str, path: &'p str) -> Option<Match<'r, 'p, T>> { None }
    pub fn len(&self) -> usize { 0 }
    pub fn is_empty(&self) -> bool { true }
}
