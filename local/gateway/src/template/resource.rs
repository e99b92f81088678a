//! What a template calls a resource.

/// A resource as a template names it.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'a> {
    /// Its name in the template.
    pub logical_id: &'a str,
    /// Its type, such as `AWS::SQS::Queue`.
    pub kind: &'a str,
    /// Its name as deployed: `QueueName`, `TableName`, … if it is given, else the logical id.
    pub name: &'a str,
}
