//! The features of Kafka 4.3.1 and their levels (`MetadataVersion`, `Feature`).

/// The feature that names the metadata's own version.
pub const METADATA_VERSION: &str = "metadata.version";

/// The lowest `metadata.version`.
const METADATA_LOWEST: i16 = 7;

/// The versions by level, from [`METADATA_LOWEST`] on; the last one is not for production yet.
const METADATA_VERSIONS: &[&str] = &[
    "3.3-IV3", "3.4-IV0", "3.5-IV0", "3.5-IV1", "3.5-IV2", "3.6-IV0", "3.6-IV1", "3.6-IV2",
    "3.7-IV0", "3.7-IV1", "3.7-IV2", "3.7-IV3", "3.7-IV4", "3.8-IV0", "3.9-IV0", "4.0-IV0",
    "4.0-IV1", "4.0-IV2", "4.0-IV3", "4.1-IV0", "4.1-IV1", "4.2-IV0", "4.2-IV1", "4.3-IV0",
    "4.4-IV0",
];

/// The newest `metadata.version` for production.
pub const METADATA_LATEST: i16 = 30;

/// A feature other than `metadata.version`.
#[derive(Clone, Copy, Debug)]
pub struct Feature {
    /// Its name.
    pub name: &'static str,
    /// For each level from 1 on: the `metadata.version` from which it is the default, and what it needs.
    levels: &'static [(i16, &'static [(&'static str, i16)])],
}

/// The features for production, in Kafka's order.
pub const FEATURES: &[Feature] = &[
    Feature {
        name: "kraft.version",
        levels: &[(21, &[])],
    },
    Feature {
        name: "transaction.version",
        levels: &[(24, &[]), (24, &[])],
    },
    Feature {
        name: "group.version",
        levels: &[(22, &[])],
    },
    Feature {
        name: "eligible.leader.replicas.version",
        levels: &[(26, &[(METADATA_VERSION, 23)])],
    },
    Feature {
        name: "share.version",
        levels: &[(28, &[])],
    },
    Feature {
        name: "streams.version",
        levels: &[(29, &[])],
    },
];

/// The feature of that name.
pub fn feature(name: &str) -> Option<&'static Feature> {
    FEATURES.iter().find(|feature| feature.name == name)
}

impl Feature {
    /// The level that a `metadata.version` brings.
    pub fn default_level(&self, metadata_version: i16) -> i16 {
        let reached = self
            .levels
            .iter()
            .filter(|(from, _)| *from <= metadata_version);
        i16::try_from(reached.count()).unwrap_or(0)
    }

    /// What a level needs of other features; `None` when there is no such level.
    pub fn dependencies(&self, level: i16) -> Option<&'static [(&'static str, i16)]> {
        if level == 0 {
            return Some(&[]);
        }
        let index = usize::try_from(level).ok()?.checked_sub(1)?;
        self.levels.get(index).map(|(_, needs)| *needs)
    }
}

/// A `metadata.version` as it is written: `4.3-IV0`.
pub fn metadata_version_name(level: i16) -> Option<&'static str> {
    let index = usize::try_from(level.checked_sub(METADATA_LOWEST)?).ok()?;
    METADATA_VERSIONS.get(index).copied()
}

/// The level of a `metadata.version` as a person writes it: `4.3-IV0`, `4.3` or `4.3.1`. With `unstable` the
/// versions count too that are not for production yet.
///
/// # Errors
/// Java's text.
pub fn parse_metadata_version(text: &str, unstable: bool) -> Result<i16, String> {
    let count = if unstable {
        METADATA_VERSIONS.len()
    } else {
        METADATA_VERSIONS.len() - 1
    };
    let known = METADATA_VERSIONS.get(..count).unwrap_or_default();
    // Only the first two numbers count.
    let parts: Vec<&str> = text.split('.').take(2).collect();
    let wanted = parts.join(".");
    let release = |name: &str| name.split('-').next() == Some(wanted.as_str());
    known
        .iter()
        .rposition(|name| *name == wanted || release(name))
        .and_then(|index| i16::try_from(index).ok())
        .map(|index| index + METADATA_LOWEST)
        .ok_or_else(|| {
            format!(
                "Unknown metadata.version '{text}'. Supported metadata.version are: {}",
                known.join(", ")
            )
        })
}

/// The levels that come with a `metadata.version`, a line for each feature. `shown` is how the version was written.
pub fn version_mapping(level: i16, shown: &str) -> String {
    let mut text = format!("{METADATA_VERSION}={level} ({shown})\n");
    for feature in FEATURES {
        let level = feature.default_level(level);
        text.push_str(&format!("{}={level}\n", feature.name));
    }
    text
}

/// What a feature's level needs, as the tools print it.
///
/// # Errors
/// Why there is no answer.
pub fn dependencies_text(name: &str, level: i16) -> Result<String, NoDependencies> {
    if name == METADATA_VERSION {
        let version = metadata_version_name(level).ok_or(NoDependencies::MetadataVersion)?;
        return Ok(format!("{name}={level} ({version}) has no dependencies.\n"));
    }
    let feature = feature(name).ok_or(NoDependencies::Feature)?;
    let needs = feature.dependencies(level).ok_or(NoDependencies::Level)?;
    if needs.is_empty() {
        return Ok(format!("{name}={level} has no dependencies.\n"));
    }
    let mut text = format!("{name}={level} requires:\n");
    for (needed, level) in needs {
        let version = metadata_version_name(*level).filter(|_| *needed == METADATA_VERSION);
        text.push_str(&match version {
            Some(version) => format!("    {needed}={level} ({version})\n"),
            None => format!("    {needed}={level}\n"),
        });
    }
    Ok(text)
}

/// Why [`dependencies_text`] has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoDependencies {
    /// There is no such `metadata.version`.
    MetadataVersion,
    /// There is no such feature.
    Feature,
    /// The feature has no such level.
    Level,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_written_in_three_ways() {
        for (text, level) in [
            ("4.3-IV0", Ok(30)),
            ("4.3", Ok(30)),
            ("4.3.1", Ok(30)),
            ("3.5", Ok(11)),
            ("3.5-IV0", Ok(9)),
            ("4.4", Ok(31)),
        ] {
            assert_eq!(parse_metadata_version(text, true), level, "{text}");
        }
        let refused = parse_metadata_version("4.4", false).unwrap_err();
        assert!(refused.starts_with(
            "Unknown metadata.version '4.4'. Supported metadata.version are: 3.3-IV3, "
        ));
        assert!(refused.ends_with("4.3-IV0"));
        assert_eq!(metadata_version_name(METADATA_LATEST), Some("4.3-IV0"));
    }

    #[test]
    fn levels_come_with_metadata_versions() {
        let level = |name: &str, version| feature(name).unwrap().default_level(version);
        assert_eq!(level("transaction.version", 23), 0);
        assert_eq!(level("transaction.version", 24), 2);
        assert_eq!(level("streams.version", 28), 0);
        assert_eq!(level("kraft.version", 21), 1);
    }
}
