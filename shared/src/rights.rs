//! The rights of a function on the resources of the stack, declared beside its code.
//!
//! The declaration is used in three places: `template.yaml` gives the function's role exactly these rights, the
//! function's init connects to the services that they let it call, and the tests compare both.
//! a function connects to what the rights let it call, and the tests compare both.

use crate::queue::Queue;
use crate::store::keys::Partition;

/// An action on items of the table.
/// Source: AWS, *Actions, resources, and condition keys for Amazon DynamoDB*. A transaction needs the right for each of
/// its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableAction {
    /// Reads up to 100 items by their keys.
    BatchGetItem,
    /// Writes up to 25 items without conditions.
    BatchWriteItem,
    /// Deletes an item, alone or in a transaction.
    DeleteItem,
    /// Reads an item.
    GetItem,
    /// Writes an item, alone or in a transaction.
    PutItem,
    /// Reads the items of a partition.
    Query,
    /// Changes an item, alone or in a transaction.
    UpdateItem,
}

impl TableAction {
    const ALL: [Self; 7] = [
        Self::BatchGetItem,
        Self::BatchWriteItem,
        Self::DeleteItem,
        Self::GetItem,
        Self::PutItem,
        Self::Query,
        Self::UpdateItem,
    ];

    /// The action as a policy names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BatchGetItem => "dynamodb:BatchGetItem",
            Self::BatchWriteItem => "dynamodb:BatchWriteItem",
            Self::DeleteItem => "dynamodb:DeleteItem",
            Self::GetItem => "dynamodb:GetItem",
            Self::PutItem => "dynamodb:PutItem",
            Self::Query => "dynamodb:Query",
            Self::UpdateItem => "dynamodb:UpdateItem",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// An action on objects of the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectAction {
    /// Deletes an object.
    Delete,
    /// Reads an object, whole or in part.
    Get,
    /// Writes an object; also the target of a copy.
    Put,
}

impl ObjectAction {
    /// The action as a policy names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "s3:DeleteObject",
            Self::Get => "s3:GetObject",
            Self::Put => "s3:PutObject",
        }
    }
}

/// A part of the bucket: the prefix of its objects' keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Prefix {
    /// `exports/`: files of exports.
    Exports,
    /// `files/`: completed uploads.
    Files,
    /// `uploads/`: uploads that have not been checked.
    Uploads,
}

impl Prefix {
    /// The prefix, with the slash.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exports => "exports/",
            Self::Files => "files/",
            Self::Uploads => "uploads/",
        }
    }
}

/// Actions on the objects of one prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Objects {
    /// Which objects.
    pub prefix: Prefix,
    /// What may be done to them.
    pub actions: &'static [ObjectAction],
    /// Whether the function only signs links and forms for clients. A signature allows no more than the function's
    /// role, but the function itself never calls S3.
    pub are_signed: bool,
}

impl Objects {
    /// For what the function itself does.
    pub const fn used(prefix: Prefix, actions: &'static [ObjectAction]) -> Self {
        Self {
            prefix,
            actions,
            are_signed: false,
        }
    }

    /// For what clients do with links and forms that the function signs.
    pub const fn signed(prefix: Prefix, actions: &'static [ObjectAction]) -> Self {
        Self {
            prefix,
            actions,
            are_signed: true,
        }
    }
}

/// The rights of a function. Built by `const fn`s, from [`Rights::NONE`] or from the rights that every function of a
/// kind needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// The actions on items of the table as a bit set, so that sets can be joined in a constant.
    table: u16,
    /// The partitions that it may touch, a bit for each; none for any.
    within: u16,
    queries_by_user: bool,
    sends: &'static [Queue],
    inspects: &'static [Queue],
    posts: bool,
    objects: &'static [Objects],
    lists_bucket: bool,
    anchors: Option<AnchorAction>,
}

/// An action on the anchors of the audit log. No function may have both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AnchorAction {
    /// Adds one.
    Add,
    /// Lists them.
    List,
}

/// A resource that a right applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// The items of the table.
    Table,
    /// Its index `by_user`.
    ByUser,
    /// A queue.
    Queue(Queue),
    /// Posting frames to connections of the WebSocket API.
    PostToConnections,
    /// Ending connections of the WebSocket API.
    EndConnections,
    /// The bucket itself.
    Bucket,
    /// The objects of a prefix.
    Objects(Prefix),
    /// The bucket of the audit log's anchors.
    AuditBucket,
    /// The anchors of the audit log.
    Anchors,
}

/// Allowed actions on resources: a statement of an IAM policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The actions as a policy names them, such as `dynamodb:GetItem`.
    pub actions: Vec<&'static str>,
    /// What they are allowed on.
    pub resources: Vec<Resource>,
    /// The kinds of partitions of the table that they are allowed on; none for any.
    pub within: Vec<Partition>,
}

impl Statement {
    fn new(actions: Vec<&'static str>, resources: Vec<Resource>) -> Self {
        Self {
            actions,
            resources,
            within: Vec::new(),
        }
    }
}

impl Rights {
    /// No rights.
    pub const NONE: Self = Self {
        table: 0,
        within: 0,
        queries_by_user: false,
        sends: &[],
        inspects: &[],
        posts: false,
        objects: &[],
        lists_bucket: false,
        anchors: None,
    };

    /// Every authenticated route reads and refreshes the caller's profile and counts the request against a rate limit.
    pub const OF_A_ROUTE: Self = Self::NONE.table(&[
        TableAction::GetItem,
        TableAction::PutItem,
        TableAction::UpdateItem,
    ]);

    /// Every frame is counted against the rate limit of its connection, and answered with frames.
    pub const OF_A_FRAME: Self = Self::NONE
        .table(&[TableAction::GetItem, TableAction::PutItem])
        .posts_frames();

    /// Adds actions on items of the table.
    #[must_use]
    pub const fn table(mut self, actions: &[TableAction]) -> Self {
        let mut rest = actions;
        while let Some((action, others)) = rest.split_first() {
            self.table |= action.bit();
            rest = others;
        }
        self
    }

    /// Restricts the rights to items of these partitions, in the table and in its index.
    #[must_use]
    pub const fn within(mut self, partitions: &[Partition]) -> Self {
        let mut rest = partitions;
        while let Some((partition, others)) = rest.split_first() {
            self.within |= 1 << *partition as u16;
            rest = others;
        }
        self
    }

    /// Adds queries of the index `by_user`.
    #[must_use]
    pub const fn queries_by_user(mut self) -> Self {
        self.queries_by_user = true;
        self
    }

    /// Adds sending jobs to these queues.
    #[must_use]
    pub const fn sends_to(mut self, queues: &'static [Queue]) -> Self {
        self.sends = queues;
        self
    }

    /// Adds reading the attributes of these queues.
    #[must_use]
    pub const fn inspects(mut self, queues: &'static [Queue]) -> Self {
        self.inspects = queues;
        self
    }

    /// Adds posting frames to connections, and closing them.
    #[must_use]
    pub const fn posts_frames(mut self) -> Self {
        self.posts = true;
        self
    }

    /// Adds actions on objects.
    #[must_use]
    pub const fn objects(mut self, objects: &'static [Objects]) -> Self {
        self.objects = objects;
        self
    }

    /// Adds checking whether the bucket or an object exists: without it S3 answers 403 for an object that does not
    /// exist.
    /// Source: AWS, *`HeadObject`*, permissions.
    #[must_use]
    pub const fn lists_bucket(mut self) -> Self {
        self.lists_bucket = true;
        self
    }

    /// Adds writing new anchors of the audit log.
    #[must_use]
    pub const fn adds_anchors(mut self) -> Self {
        self.anchors = Some(AnchorAction::Add);
        self
    }

    /// Adds listing the anchors of the audit log: their names hold the content.
    #[must_use]
    pub const fn lists_anchors(mut self) -> Self {
        self.anchors = Some(AnchorAction::List);
        self
    }

    /// Whether it enqueues jobs.
    pub const fn calls_queues(&self) -> bool {
        !self.sends.is_empty()
    }

    /// Whether it posts frames.
    pub const fn calls_connections(&self) -> bool {
        self.posts
    }

    /// Whether it calls S3 itself, instead of only signing for clients.
    pub fn calls_bucket(&self) -> bool {
        self.objects.iter().any(|objects| !objects.are_signed)
    }

    /// The statements of the role's policy, in a fixed order.
    pub fn statements(&self) -> Vec<Statement> {
        let queues = |queues: &[Queue]| queues.iter().copied().map(Resource::Queue).collect();
        let table = TableAction::ALL.into_iter();
        let table = table.filter(|action| self.table & action.bit() != 0);
        let within: Vec<Partition> = Partition::ALL
            .into_iter()
            .filter(|partition| self.within & (1 << *partition as u16) != 0)
            .collect();
        let of_table = |actions, resources| Statement {
            within: within.clone(),
            ..Statement::new(actions, resources)
        };
        let only =
            |is_allowed: bool, resource: Resource| is_allowed.then_some(resource).into_iter().collect();
        let mut statements = vec![
            of_table(table.map(TableAction::as_str).collect(), vec![Resource::Table]),
            of_table(
                vec![TableAction::Query.as_str()],
                only(self.queries_by_user, Resource::ByUser),
            ),
            Statement::new(vec!["sqs:SendMessage"], queues(self.sends)),
            Statement::new(vec!["sqs:GetQueueAttributes"], queues(self.inspects)),
            Statement::new(
                vec!["execute-api:ManageConnections"],
                if self.posts {
                    vec![Resource::PostToConnections, Resource::EndConnections]
                } else {
                    Vec::new()
                },
            ),
        ];
        statements.extend(self.objects.iter().map(|objects| {
            let actions = objects.actions.iter().copied().map(ObjectAction::as_str);
            Statement::new(actions.collect(), vec![Resource::Objects(objects.prefix)])
        }));
        statements.push(Statement::new(
            vec!["s3:ListBucket"],
            only(self.lists_bucket, Resource::Bucket),
        ));
        statements.extend(self.anchors.map(|action| {
            let (action, resource) = match action {
                AnchorAction::Add => (ObjectAction::Put.as_str(), Resource::Anchors),
                AnchorAction::List => ("s3:ListBucket", Resource::AuditBucket),
            };
            Statement::new(vec![action], vec![resource])
        }));
        statements.retain(|statement| !statement.actions.is_empty() && !statement.resources.is_empty());
        statements
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_add_up_and_come_as_statements_in_a_fixed_order() {
        const RIGHTS: Rights = Rights::OF_A_ROUTE
            .table(&[TableAction::Query, TableAction::GetItem])
            .sends_to(&[Queue::Fanout])
            .objects(&[Objects::signed(Prefix::Files, &[ObjectAction::Get])]);
        let statements = RIGHTS.statements();
        let found: Vec<_> = statements
            .iter()
            .map(|statement| (statement.actions.as_slice(), statement.resources.as_slice()))
            .collect();
        let table = [
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        ];
        let wanted: [(&[&str], &[Resource]); 3] = [
            (&table, &[Resource::Table]),
            (&["sqs:SendMessage"], &[Resource::Queue(Queue::Fanout)]),
            (&["s3:GetObject"], &[Resource::Objects(Prefix::Files)]),
        ];
        assert_eq!(found, wanted);
        assert!(RIGHTS.calls_queues() && !RIGHTS.calls_connections() && !RIGHTS.calls_bucket());
        assert_eq!(Rights::NONE.statements(), []);
        assert!(statements.iter().all(|statement| statement.within.is_empty()));
    }

    #[test]
    fn partitions_are_a_condition_of_the_table_and_its_index_alone() {
        const RIGHTS: Rights = Rights::OF_A_FRAME
            .queries_by_user()
            .within(&[Partition::Users, Partition::Rates])
            .within(&[Partition::Audit]);
        let bound = [Partition::Audit, Partition::Rates, Partition::Users];
        for statement in RIGHTS.statements() {
            let is_of_table = matches!(
                statement.resources.as_slice(),
                [Resource::Table | Resource::ByUser]
            );
            let wanted: &[Partition] = if is_of_table { &bound } else { &[] };
            assert_eq!(statement.within, wanted, "{statement:?}");
        }
    }
}
