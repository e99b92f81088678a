//! Which resources a value refers to, whatever text it makes of them.
//!
//! An integration's URI, a queue's ARN and a route's target are all read this way: what matters on the desk is the
//! resource that is meant, not the address that AWS would have for it.

use serde_json::Value;

use super::Document;
use crate::template::intrinsics::{Fault, Piece, attribute, function, pieces, substitution};

impl Document<'_> {
    /// Returns the first resource of one type that a value refers to, whatever it makes of it.
    pub(in crate::template) fn referenced(&self, value: &Value, kind: &str) -> Result<Option<String>, Fault> {
        let mut ids = Vec::new();
        self.references(value, &mut ids)?;
        Ok(ids.into_iter().find(|id| self.kind(id) == Some(kind)))
    }

    /// Returns the function that an integration's URI calls: one that it refers to, or one of a nested stack, whose name
    /// stands in it.
    pub(in crate::template) fn called(&self, uri: &Value) -> Result<Option<String>, Fault> {
        const FUNCTION: &str = "AWS::Serverless::Function";
        if let Some(id) = self.referenced(uri, FUNCTION)? {
            return Ok(Some(id));
        }
        let uri = self.text(uri)?;
        let Some((_, rest)) = uri.split_once(":function:") else {
            return Ok(None);
        };
        let called = rest.split('/').next().unwrap_or_default();
        for (id, _) in self.resources(FUNCTION).map_err(|error| error.message)? {
            if self.deployed_name(id)? == called {
                return Ok(Some(id.to_owned()));
            }
        }
        Ok(None)
    }

    fn references(&self, value: &Value, ids: &mut Vec<String>) -> Result<(), Fault> {
        match value {
            Value::Array(values) => values.iter().try_for_each(|value| self.references(value, ids)),
            Value::Object(fields) => match function(fields) {
                Some(("Ref", Value::String(id))) => {
                    ids.push(id.clone());
                    Ok(())
                }
                Some(("Fn::GetAtt", argument)) => {
                    ids.extend(attribute(argument).map(|(id, _)| id.to_owned()));
                    Ok(())
                }
                Some(("Fn::Sub", argument)) => {
                    let (template, variables) = substitution(argument)?;
                    for piece in pieces(template) {
                        let Piece::Name(name) = piece else { continue };
                        match variables.and_then(|variables| variables.get(name)) {
                            Some(value) => self.references(value, ids)?,
                            None => ids.push(name.split('.').next().unwrap_or(name).to_owned()),
                        }
                    }
                    Ok(())
                }
                Some(("Fn::If", argument)) => self.references(self.branch(argument, 0)?, ids),
                _ => fields.values().try_for_each(|value| self.references(value, ids)),
            },
            _ => Ok(()),
        }
    }
}
