//! The rights of functions on the desk: what the template allows their roles.

use local_gateway::template::Template;
use local_services::{Rights, Statement};

/// The rights of every function, by the statements that the template gives its role.
pub fn of(template: &Template) -> Rights {
    let mut rights = Rights::new(&template.websocket.arn);
    for function in &template.functions {
        let statements: Vec<_> = function
            .statements
            .iter()
            .map(|statement| Statement {
                allows: statement.allows,
                actions: statement.actions.clone(),
                resources: statement.resources.clone(),
            })
            .collect();
        rights = rights.with(&function.logical_id, &statements);
    }
    rights
}
