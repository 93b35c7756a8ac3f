#![allow(missing_docs)]
pub struct Document; 
#[derive(serde::Serialize)]
pub struct Change { pub level: Level, pub operation: String, pub path: String, pub text: String, pub rule: String }
#[derive(serde::Serialize, PartialEq)]
pub enum Level { Error }
impl Level { pub fn as_str(&self) -> &'static str { "" } }
#[derive(serde::Serialize)]
pub struct D { pub changes: Vec<Change>, pub breaking: bool, pub kind: String }
impl Document { pub fn parse(_: &str, _: &str) -> Result<Self, std::fmt::Error> { Ok(Self) } }
pub fn diff(_: &Document, _: &Document) -> D { D { changes: vec![], breaking: false, kind: String::new() } }
