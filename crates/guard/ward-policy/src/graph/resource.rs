//! One resource of the infrastructure.

use super::{Block, InstanceKey, ModulePath, References};

/// A resource, a data source, or an object of a cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Full address, unique in its input: `module.m["a"].aws_s3_bucket.b[0]`.
    pub address: Box<str>,
    /// Type as its format names it: `aws_db_instance`, `AWS::RDS::DBInstance`, `apps/Deployment`.
    pub kind: Box<str>,
    /// Name within its type and module.
    pub name: Box<str>,
    /// The modules around it.
    pub module: ModulePath,
    /// Its key among its instances.
    pub key: Option<InstanceKey>,
    /// The configuration of its provider, such as `aws.west`, or `module.m:aws` where a module has its
    /// own. Resources of one account and region share it. Empty if the format has none.
    pub provider: Box<str>,
    /// What part it plays.
    pub role: Role,
    /// What the deployment does with it.
    pub action: Action,
    /// Whether it is not sure that it will be there: nobody knows how often it is repeated.
    pub may_be_absent: bool,
    /// Where it is written.
    pub place: Option<Place>,
    /// Its values.
    pub attributes: Block,
    /// Its values before the deployment, for what is changed or removed.
    pub before: Option<Block>,
    /// What the expressions of its attributes refer to, whether or not their values are known.
    pub expressions: Vec<Expression>,
}

impl Resource {
    /// A resource that is created, without values.
    #[must_use]
    pub fn new(address: &str, kind: &str, name: &str) -> Self {
        Self {
            address: address.into(),
            kind: kind.into(),
            name: name.into(),
            module: ModulePath::root(),
            key: None,
            provider: Box::default(),
            role: Role::Managed,
            action: Action::Create,
            may_be_absent: false,
            place: None,
            attributes: Block::default(),
            before: None,
            expressions: Vec::new(),
        }
    }

    /// What the expression of an attribute refers to.
    pub fn references_of(&self, path: &str) -> impl Iterator<Item = &References> {
        self.expressions.iter().filter(move |one| &*one.path == path).map(|one| &one.references)
    }
}

/// What part a resource plays in a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// It is deployed: rules judge it.
    Managed,
    /// It is only read.
    Data,
    /// It is there already and not part of this deployment: it may be a companion, and is not judged.
    Existing,
    /// It was changed outside of the code, and stands as found: rules judge it.
    Drifted,
}

/// What the deployment does with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Makes it.
    Create,
    /// Changes it in place.
    Update,
    /// Removes it and makes it anew.
    Replace,
    /// Leaves it as it is.
    Keep,
    /// Reads it.
    Read,
    /// Removes it.
    Delete,
    /// No longer looks after it.
    Forget,
}

impl Action {
    /// Whether the resource is there and looked after once the deployment is done.
    #[must_use]
    pub const fn leaves_it(self) -> bool {
        !matches!(self, Self::Delete | Self::Forget)
    }
}

/// A place in a source file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file as the caller named it.
    pub file: Box<str>,
    /// Line, from 1.
    pub line: u32,
}

/// What the expression of one attribute refers to.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// Names of the attribute and the blocks around it, dots between them, without places in lists.
    pub path: Box<str>,
    /// What it refers to.
    pub references: References,
}
