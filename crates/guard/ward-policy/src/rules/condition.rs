//! What a rule asks of a resource.

use super::{Addresses, Change, Decided, Ports, Secret};
use crate::graph::{Attribute, AttributePath};

/// A condition over a resource. It is true, false, or not known before the deployment.
///
/// There is no `not`: turned around, "not set" would become a pass. Each test has its opposite.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Every one of them.
    All(Vec<Condition>),
    /// At least one of them.
    Any(Vec<Condition>),
    /// Not a single one of them: for what must not be, never for what must be set.
    NoOne(Vec<Condition>),
    /// A test of what a path reaches.
    Test {
        /// What is tested.
        path: AttributePath,
        /// How many of the values it reaches have to stand the test.
        over: Over,
        /// The test.
        test: Test,
    },
    /// A condition over the blocks that a path reaches: a list, one block, or none.
    Blocks {
        /// The blocks.
        path: AttributePath,
        /// How many of them have to meet it.
        over: Over,
        /// What holds if there is no block.
        empty: bool,
        /// What they have to meet.
        of: Box<Condition>,
    },
    /// A condition over the JSON document that stands in a text.
    Document {
        /// The text.
        path: AttributePath,
        /// What the document has to meet.
        of: Box<Condition>,
    },
    /// A question about an access policy: as JSON, as blocks, or as a data source of statements.
    Policy {
        /// The policy.
        path: AttributePath,
        /// The question.
        asks: PolicyQuestion,
    },
    /// A condition over resources that point at this one.
    Companion(Companion),
    /// A condition over the resource that this one points at.
    Target(Target),
    /// A condition over any resource of the same provider configuration.
    Present(Present),
    /// A rule of a network lets ports through.
    Ports(Ports),
    /// A range holds no more addresses than it may.
    Addresses(Addresses),
    /// A place is free of secrets.
    Secret(Secret),
    /// What the organisation decided.
    Decided(Decided),
    /// What the deployment changes.
    Change(Change),
}

/// How many of several values or blocks have to meet a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Over {
    /// Every one.
    Every,
    /// At least one.
    Some,
    /// Not a single one.
    None,
}

/// A test of one value.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// It is written, and neither null nor empty. A value that a resource of this deployment will
    /// have is set.
    Set,
    /// It is not written, null or empty.
    Unset,
    /// It is set, and names no key that AWS keeps for a service: `alias/aws/…`.
    OwnKey,
    /// It is this.
    Equals(Attribute),
    /// It is something else.
    NotEquals(Attribute),
    /// It is one of these.
    In(Vec<Attribute>),
    /// It is none of these.
    NotIn(Vec<Attribute>),
    /// A number of at least this.
    AtLeast(f64),
    /// A number of at most this.
    AtMost(f64),
    /// A list that holds this.
    Contains(Attribute),
    /// A list that doesn't hold this.
    NotContains(Attribute),
    /// A text that begins so.
    StartsWith(Box<str>),
    /// A text that begins in another way.
    NotStartsWith(Box<str>),
    /// A text that ends so.
    EndsWith(Box<str>),
    /// A text that ends in another way.
    NotEndsWith(Box<str>),
    /// A text in which this stands.
    HasPart(Box<str>),
    /// A text in which this doesn't stand.
    NotHasPart(Box<str>),
    /// What a resource of this deployment, of one of these types, will say. A value that is known is
    /// none.
    RefersTo(Vec<Box<str>>),
    /// A range of addresses.
    Cidr(CidrTest),
}

/// A test of a range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CidrTest {
    /// It lies in a private range: RFC 1918 or RFC 6598, RFC 4193 or link-local.
    Private,
    /// It is not the whole internet, nor such a large part of it that it is meant.
    NotEverywhere,
    /// It is the whole internet, or such a large part of it that it is meant; also by a word for it.
    Everywhere,
}

/// A question about an access policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyQuestion {
    /// Nobody is allowed anything without being named.
    NoPublicPrincipal,
    /// Everything that does not come over TLS is denied to all.
    TlsRequired,
    /// No statement allows every action on everything.
    NoFullAccess,
    /// A role is lent only to those who are named, and by a federation only to named subjects.
    NoOpenTrust,
    /// People can take on the role: an account or a user is trusted.
    TrustsPeople,
    /// People who take it on have signed in with a second factor.
    SecondFactor,
}

/// Resources that point at the one that is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Companion {
    /// Their types.
    pub types: Vec<Box<str>>,
    /// Their attribute that points here.
    pub by: AttributePath,
    /// The attributes here that it may name.
    pub own: Vec<AttributePath>,
    /// How many of them have to meet the condition.
    pub over: Over,
    /// Whether only those count that surely point here: for what excuses a resource from a rule.
    pub is_sure: bool,
    /// What they have to meet; being there is enough if there is nothing.
    pub of: Option<Box<Condition>>,
}

/// The resource that the judged one points at.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The attribute here that points there.
    pub path: AttributePath,
    /// Its types.
    pub types: Vec<Box<str>>,
    /// The attributes there that it may name.
    pub own: Vec<AttributePath>,
    /// What it has to meet; being there is enough if there is nothing.
    pub of: Option<Box<Condition>>,
}

/// Any resource of the same provider configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Present {
    /// Its types.
    pub types: Vec<Box<str>>,
    /// What one of them has to meet; being there is enough if there is nothing.
    pub of: Option<Box<Condition>>,
    /// Whether not finding one is a violation. If not, it may be there already: not known.
    pub is_owed: bool,
}
