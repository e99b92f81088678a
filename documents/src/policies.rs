//! The policies of the functions' roles, as written in the nested stacks.

use std::collections::BTreeSet;

use shared::rights::{Resource, Rights};
use shared::store::keys::Partition;

/// A resource as a nested stack refers to it: by the parameter with its ARN that `template.yaml` passes.
pub fn reference(resource: Resource) -> String {
    let connections = |method: &str| format!("!Sub ${{ConnectionsArn}}/{method}/@connections/*");
    match resource {
        Resource::Table => "!Ref TableArn".to_owned(),
        Resource::ByUser => format!("!Sub ${{TableArn}}/index/{}", shared::store::keys::BY_USER),
        Resource::Queue(queue) => format!("!Ref {}Arn", queue.resource()),
        Resource::PostToConnections => connections("POST"),
        Resource::EndConnections => connections("DELETE"),
        Resource::AuditBucket => "!Ref AuditBucketArn".to_owned(),
        Resource::Anchors => "!Sub ${AuditBucketArn}/anchors/*".to_owned(),
        Resource::Bucket => "!Ref BucketArn".to_owned(),
        Resource::Objects(prefix) => format!("!Sub ${{BucketArn}}/{}*", prefix.as_str()),
    }
}

/// The patterns of partition keys that a statement is restricted to, for `dynamodb:LeadingKeys`.
fn leading_keys(within: &[Partition]) -> String {
    let patterns = within
        .iter()
        .map(|partition| format!("\"{}*\"", partition.prefix()));
    patterns.collect::<Vec<_>>().join(", ")
}

/// The allowed actions with their resource and their patterns of partition keys, one by one.
pub fn allowances(rights: &Rights) -> BTreeSet<(String, String, String)> {
    let statements = rights.statements().into_iter();
    statements
        .flat_map(|statement| {
            let within = leading_keys(&statement.within);
            let of_resource = move |resource: Resource| {
                let action =
                    |action: &&'static str| ((*action).to_owned(), reference(resource), within.clone());
                statement.actions.iter().map(action).collect::<Vec<_>>()
            };
            statement.resources.into_iter().flat_map(of_resource)
        })
        .collect()
}

/// The `Policies` of a function, indented as in the template; nothing for a function without rights.
pub fn yaml(rights: &Rights) -> String {
    let statements = rights.statements();
    if statements.is_empty() {
        return String::new();
    }
    let mut yaml = "      Policies:\n        - Version: \"2012-10-17\"\n          Statement:\n".to_owned();
    for statement in statements {
        yaml.push_str("            - Effect: Allow\n");
        let action = match statement.actions.as_slice() {
            [action] => (*action).to_owned(),
            actions => format!("[{}]", actions.join(", ")),
        };
        let references: Vec<String> = statement.resources.iter().copied().map(reference).collect();
        let resource = match references.as_slice() {
            [reference] => format!(" {reference}"),
            references if references.iter().any(|reference| reference.starts_with("!Sub")) => {
                let line = |reference: &String| format!("\n                - {reference}");
                references.iter().map(line).collect()
            }
            references => format!(" [{}]", references.join(", ")),
        };
        let mut lines = vec![format!("Action: {action}"), format!("Resource:{resource}")];
        if !statement.within.is_empty() {
            let keys = leading_keys(&statement.within);
            lines.push(format!(
                "Condition: {{ \"ForAllValues:StringLike\": {{ \"dynamodb:LeadingKeys\": [{keys}] }} }}"
            ));
        }
        for line in lines {
            yaml.push_str("              ");
            yaml.push_str(&line);
            yaml.push('\n');
        }
    }
    yaml
}

#[cfg(test)]
mod tests {
    use shared::queue::Queue;
    use shared::rights::TableAction;

    use super::*;

    #[test]
    fn rights_become_the_policies_of_a_role() {
        const RIGHTS: Rights = Rights::NONE
            .table(&[TableAction::GetItem])
            .within(&[Partition::Rates, Partition::Tickets])
            .sends_to(&[Queue::Fanout, Queue::Offline])
            .posts_frames();
        let connections = "!Sub ${ConnectionsArn}";
        let wanted = format!(
            r#"      Policies:
        - Version: "2012-10-17"
          Statement:
            - Effect: Allow
              Action: dynamodb:GetItem
              Resource: !Ref TableArn
              Condition: {{ "ForAllValues:StringLike": {{ "dynamodb:LeadingKeys": ["R#*", "K#*"] }} }}
            - Effect: Allow
              Action: sqs:SendMessage
              Resource: [!Ref FanoutQueueArn, !Ref OfflineQueueArn]
            - Effect: Allow
              Action: execute-api:ManageConnections
              Resource:
                - {connections}/POST/@connections/*
                - {connections}/DELETE/@connections/*
"#
        );
        assert_eq!(yaml(&RIGHTS), wanted);
        assert_eq!(allowances(&RIGHTS).len(), 5);
        assert_eq!(yaml(&Rights::NONE), "");
    }
}
