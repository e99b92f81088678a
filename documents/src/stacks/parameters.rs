//! The parameters by which `template.yaml` tells a stack of functions of what it has. A stack has those that its
//! functions refer to.

use std::collections::BTreeSet;

/// What a template refers to without defining it, by `!Ref` or within `!Sub`.
pub(super) fn of(template: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let lines = template
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    for line in lines {
        for mark in ["!Ref ", "${"] {
            for (at, _) in line.match_indices(mark) {
                let rest = line.get(at + mark.len()..).unwrap_or_default();
                let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric());
                let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
                // `AWS::Region` is everywhere.
                if !rest.starts_with("::") {
                    names.insert(name);
                }
            }
        }
    }
    let is_defined = |name: &str| {
        template
            .lines()
            .any(|line| line.strip_prefix("  ") == Some(&format!("{name}:")))
    };
    names.retain(|name| !is_defined(name));
    names
}

/// The declaration of a parameter.
pub(super) fn declaration(name: &str) -> &'static str {
    match name {
        "LogRetentionDays" => "{ Type: Number }",
        // Most of the time there is none.
        _ if name.ends_with("SecretKeyPrevious") => "{ Type: String, NoEcho: true, Default: \"\" }",
        _ if name.ends_with("SecretKey") => "{ Type: String, NoEcho: true }",
        _ => "{ Type: String }",
    }
}

/// What `template.yaml` passes on. A resource's name, ARN or URL is that of the resource whose name stands in front,
/// as is the value of a secret; everything else is a parameter of its own of the same name.
pub(super) fn value(name: &str) -> String {
    let secret = |secret: &str| format!("!Sub \"{{{{resolve:secretsmanager:${{{secret}}}:SecretString}}}}\"");
    match name {
        "ConnectionsArn" => {
            "!Sub arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${WebSocketApi}/${Stage}"
                .to_owned()
        }
        // Empty, and so HS256 refused, where the issuer publishes keys.
        "JwtSecretKey" => format!("!If [HasSharedSecret, {}, \"\"]", secret("JwtSecret")),
        "RootStack" => "!Ref AWS::StackName".to_owned(),
        "WebSocketEndpoint" => {
            "!Sub https://${WebSocketApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Stage}".to_owned()
        }
        _ => {
            let resource = |suffix: &str| name.strip_suffix(suffix).filter(|resource| !resource.is_empty());
            if let Some(resource) = resource("Arn") {
                format!("!GetAtt {resource}.Arn")
            } else if let Some(resource) = resource("Name") {
                format!("!Ref {resource}")
            } else if name.ends_with("QueueUrl") {
                format!("!Ref {}", name.trim_end_matches("Url"))
            } else if let Some(secret) = resource("KeyPrevious") {
                // What Secrets Manager keeps of the value before; empty but for a rotation.
                format!(
                    "!If [KeepsPrevious{secret}, !Sub \"{{{{resolve:secretsmanager:${{{secret}}}:SecretString::AWSPREVIOUS}}}}\", \
                     \"\"]"
                )
            } else if name.ends_with("SecretKey") {
                secret(name.trim_end_matches("Key"))
            } else {
                format!("!Ref {name}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_has_the_parameters_that_it_refers_to() {
        let template = "\
Resources:
  # Not !Ref Commented.
  MailLogs:
    Properties: { Name: !Sub \"/${RootStack}/${AWS::Region}\", Days: !Ref LogRetentionDays }
  Send:
    Properties:
      Resource: [!Ref TableArn, !Sub \"${TableArn}/index/x\"]
      Logs: !Ref MailLogs
";
        let names: Vec<&str> = of(template).into_iter().collect();
        assert_eq!(names, ["LogRetentionDays", "RootStack", "TableArn"]);
    }

    #[test]
    fn a_parameter_is_passed_on_by_its_name() {
        for (name, passed) in [
            ("TeamQueueArn", "!GetAtt TeamQueue.Arn"),
            ("TeamQueueUrl", "!Ref TeamQueue"),
            ("TableName", "!Ref Table"),
            ("JwtJwksUrl", "!Ref JwtJwksUrl"),
            (
                "AuditSecretKey",
                "!Sub \"{{resolve:secretsmanager:${AuditSecret}:SecretString}}\"",
            ),
            (
                "CursorSecretKeyPrevious",
                "!If [KeepsPreviousCursorSecret, !Sub \"{{resolve:secretsmanager:${CursorSecret}:SecretString::AWSPREVIOUS}}\", \
                 \"\"]",
            ),
        ] {
            assert_eq!(value(name), passed);
        }
    }
}
