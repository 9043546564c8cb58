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
    /// The condition under which it is made, by name; `None` if it is made in any case.
    pub condition: Option<Box<str>>,
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
    /// Texts that no expression of the configuration gives, if the format has both; sorted by their paths. The
    /// provider chose them, or nobody knows who did.
    pub chosen: Vec<Chosen>,
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
            condition: None,
            may_be_absent: false,
            place: None,
            attributes: Block::default(),
            before: None,
            expressions: Vec::new(),
            chosen: Vec::new(),
        }
    }

    /// Whether it is there whenever another one is. If not, it may be missing: what leans on it is
    /// not proven.
    #[must_use]
    pub fn is_there_with(&self, other: &Self) -> bool {
        !self.may_be_absent && (self.condition.is_none() || self.condition == other.condition)
    }

    /// Whether the text of an attribute was chosen by nobody who wrote the configuration.
    #[must_use]
    pub fn choice_at(&self, path: &str) -> Option<&Chosen> {
        let place = self.chosen.binary_search_by(|chosen| (*chosen.path).cmp(path)).ok()?;
        self.chosen.get(place)
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
    /// Every action.
    pub const ALL: [Self; 7] =
        [Self::Create, Self::Update, Self::Replace, Self::Keep, Self::Read, Self::Delete, Self::Forget];

    /// Its word in rules and reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Keep => "keep",
            Self::Read => "read",
            Self::Delete => "delete",
            Self::Forget => "forget",
        }
    }

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

/// A place with a text that no expression gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Names that lead there, dots between them.
    pub path: Box<str>,
    /// Whether the block around it stands in the configuration, so that nobody wrote the text.
    pub is_sure: bool,
}
