//! Conditions over the ports that a rule of a network lets through.

use super::condition_reader::path;
use super::{Fields, RuleError};
use crate::graph::AttributePath;

/// Whether a rule lets through one of the ports of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Ports {
    /// Where the ports are written.
    pub written: WrittenPorts,
    /// Which ports are meant.
    pub of: PortList,
}

/// How a rule of a network writes its ports.
#[derive(Debug, Clone, PartialEq)]
pub enum WrittenPorts {
    /// As the first and the last one. Without both, it is every port.
    FromTo {
        /// The first.
        from: AttributePath,
        /// The last.
        to: AttributePath,
    },
    /// As texts: `22`, `20-25`, `*`.
    Ranges {
        /// One text or a list of them.
        path: AttributePath,
        /// Whether it is every port where none is written.
        unset_is_all: bool,
    },
}

/// A list of ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PortList {
    /// Ports that machines are administered over, and ports of databases, caches, queues and search.
    AdminAndDatabases,
}

impl PortList {
    /// Its word in rules.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::AdminAndDatabases => "admin-and-databases",
        }
    }

    /// The ports.
    #[must_use]
    pub const fn ports(self) -> &'static [u16] {
        match self {
            Self::AdminAndDatabases => &[
                // Administration: FTP, SSH, Telnet, RPC, NetBIOS, SMB, rexec, NFS, Docker, etcd, RDP,
                // VNC, WinRM, Kubernetes.
                20, 21, 22, 23, 111, 135, 137, 138, 139, 445, 512, 513, 514, 2049, 2375, 2376, 2379, 2380,
                3389, 5500, 5900, 5985, 5986, 6443, 10250,
                // Databases, directories, caches, queues, search.
                389, 636, 1433, 1434, 1521, 2483, 2484, 3306, 5432, 5433, 5439, 5601, 5672, 5984, 6379, 7000,
                7001, 7199, 8086, 9042, 9092, 9160, 9200, 9300, 11211, 15672, 27017, 27018, 27019, 28017,
                50000,
            ],
        }
    }
}

/// Reads the mapping behind `ports`.
pub(super) fn read_ports(mut fields: Fields<'_>) -> Result<Ports, RuleError> {
    let written = if fields.has("ranges") {
        let path = path(&mut fields, "ranges")?;
        let unset = fields.optional_text("unset")?;
        let unset_is_all = match unset.as_deref() {
            None => false,
            Some("all") => true,
            Some(_) => return Err(fields.fault("unset may only be all")),
        };
        WrittenPorts::Ranges { path, unset_is_all }
    } else {
        WrittenPorts::FromTo { from: path(&mut fields, "from")?, to: path(&mut fields, "to")? }
    };
    let of = fields.word("of", &[PortList::AdminAndDatabases], PortList::word)?;
    fields.end()?;
    Ok(Ports { written, of })
}
