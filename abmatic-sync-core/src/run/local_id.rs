//! The id of a local record that is made from a remote one: always the same, so that it cannot be made twice (I4).
//!
//! Where records and state live in two databases, a crash between the two commits leaves a record without its link; the next
//! attempt comes to the same id, is refused, and adopts what is there. Ids sort as the remote ones do where those are
//! numbers, else by the remote record's creation: that is about the order in which CRMs list them, and a database that adds
//! them at the end of its indexes writes a small part of what it writes for ids in no order.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::ids::LocalId;
use crate::model::link::LinkScope;
use crate::model::record::{RemoteRecord, Version};

/// The id of the local record that is made from `remote`; another one where a deleted record holds that already.
pub(crate) fn local_id_of(scope: &LinkScope, remote: &RemoteRecord, replaces: Option<Version>) -> LocalId {
    let replaces = replaces.map(|version| version.get().to_string()).unwrap_or_default();
    let parts = [scope.connection.as_str(), scope.remote_resource.as_str(), remote.id.as_str(), &replaces];
    let parts = parts.map(str::as_bytes);
    let (high, low) = (hash(0xcbf2_9ce4_8422_2325, parts), hash(0x6c62_272e_07bb_0142, parts));
    let bits = (u128::from(rank(remote)) << 80) | (u128::from(high & 0xFFFF) << 64) | u128::from(low);
    // Version 8 is for bits of one's own making.
    let id = uuid::Builder::from_u128(bits).with_version(uuid::Version::Custom).with_variant(uuid::Variant::RFC4122);
    text_of(id.into_uuid())
}

/// What the id begins with, in 48 bits. Stands in databases: it may not change.
fn rank(remote: &RemoteRecord) -> u64 {
    const RANKS: u64 = 1 << 48;
    let number = remote.id.as_str().parse().ok().filter(|number| *number < RANKS);
    let created_at = || remote.created_at.as_ref().map_or(0, DateTime::<Utc>::timestamp_millis).unsigned_abs();
    number.unwrap_or_else(created_at)
}

fn text_of(id: Uuid) -> LocalId {
    let mut text = Uuid::encode_buffer();
    LocalId::from(&*id.hyphenated().encode_lower(&mut text))
}

/// FNV-1a, its bits mixed. Stands in databases: it may not change.
pub(crate) fn hash<const PARTS: usize>(seed: u64, parts: [&[u8]; PARTS]) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = parts.iter().fold(seed, |hash, part| step(part.iter().fold(hash, |hash, byte| step(hash, *byte)), 0));
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::local_id_of;
    use crate::model::fields::Fields;
    use crate::model::link::LinkScope;
    use crate::model::record::{RemoteRecord, Version};
    use crate::model::resource::Resource;

    #[test]
    fn an_id_is_the_same_for_ever_and_another_for_another_record() {
        let scope = |connection: &str| LinkScope::new("t".into(), connection.into(), Resource::Contact);
        let mut remote = RemoteRecord::new("17", Fields::new());
        remote.created_at = DateTime::from_timestamp_millis(1_700_000_000_000);
        let id = local_id_of(&scope("a"), &remote, None);
        assert_eq!(id.as_str(), "00000000-0011-8c7e-bf09-46f68bc50b0c");
        assert_ne!(local_id_of(&scope("b"), &remote, None), id);
        assert_ne!(local_id_of(&scope("a"), &remote, Some(Version::new(3))), id);
        remote.id = "18".into();
        assert!(local_id_of(&scope("a"), &remote, None) > id);
        remote.id = "0035g00000AbCdE".into();
        assert!(local_id_of(&scope("a"), &remote, None).as_str().starts_with("018bcfe5-6800-8"));
    }
}
