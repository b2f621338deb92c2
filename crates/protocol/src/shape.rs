//! What request bodies look like, to judge their array counts before anything is decoded: the codec reserves
//! memory for as many elements as a count promises.
//!
//! A shape is the sequence of a schema's fields, as Kafka 4.3.1's generated classes give them
//! (`ApiKeys.messageType.requestSchemas()`): `1` `2` `4` `8` a number of that many bytes, `u` a UUID, `s` and `b` a
//! string or bytes with their length as a number, `S` and `B` with a varint (KIP-482), `[..]` and `{..}` arrays
//! likewise, `(..)` a struct that may be null, `<..>` tagged fields with the shapes of those that hold arrays.

/// Elements of all arrays of one request: far more than any client sends, and bounds what decoding costs.
const ELEMENTS_MAX: usize = 1_000_000;

/// (API key, lowest, highest version, shape).
#[rustfmt::skip]
const SHAPES: &[(i16, i16, i16, &str)] = &[
    (0, 3, 8, "s24[s[4b]]"), // Produce
    (0, 9, 12, "S24{S{4B<>}<>}<>"), // Produce
    (0, 13, 13, "S24{u{4B<>}<>}<>"), // Produce
    (1, 4, 4, "44441[s[484]]"), // Fetch
    (1, 5, 6, "44441[s[4884]]"), // Fetch
    (1, 7, 8, "4444144[s[4884]][s[4]]"), // Fetch
    (1, 9, 10, "4444144[s[44884]][s[4]]"), // Fetch
    (1, 11, 11, "4444144[s[44884]][s[4]]s"), // Fetch
    (1, 12, 12, "4444144{S{448484<>}<>}{S{4}<>}S<>"), // Fetch
    (1, 13, 14, "4444144{u{448484<>}<>}{u{4}<>}S<>"), // Fetch
    (1, 15, 18, "444144{u{448484<>}<>}{u{4}<>}S<>"), // Fetch
    (2, 1, 1, "4[s[48]]"), // ListOffsets
    (2, 2, 3, "41[s[48]]"), // ListOffsets
    (2, 4, 5, "41[s[448]]"), // ListOffsets
    (2, 6, 9, "41{S{448<>}<>}<>"), // ListOffsets
    (2, 10, 11, "41{S{448<>}<>}4<>"), // ListOffsets
    (3, 0, 3, "[s]"), // Metadata
    (3, 4, 7, "[s]1"), // Metadata
    (3, 8, 8, "[s]111"), // Metadata
    (3, 9, 9, "{S<>}111<>"), // Metadata
    (3, 10, 10, "{uS<>}111<>"), // Metadata
    (3, 11, 13, "{uS<>}11<>"), // Metadata
    (8, 2, 4, "s4s8[s[48s]]"), // OffsetCommit
    (8, 5, 5, "s4s[s[48s]]"), // OffsetCommit
    (8, 6, 6, "s4s[s[484s]]"), // OffsetCommit
    (8, 7, 7, "s4ss[s[484s]]"), // OffsetCommit
    (8, 8, 9, "S4SS{S{484S<>}<>}<>"), // OffsetCommit
    (8, 10, 10, "S4SS{u{484S<>}<>}<>"), // OffsetCommit
    (9, 1, 5, "s[s[4]]"), // OffsetFetch
    (9, 6, 6, "S{S{4}<>}<>"), // OffsetFetch
    (9, 7, 7, "S{S{4}<>}1<>"), // OffsetFetch
    (9, 8, 8, "{S{S{4}<>}<>}1<>"), // OffsetFetch
    (9, 9, 9, "{SS4{S{4}<>}<>}1<>"), // OffsetFetch
    (9, 10, 10, "{SS4{u{4}<>}<>}1<>"), // OffsetFetch
    (10, 0, 0, "s"), // FindCoordinator
    (10, 1, 2, "s1"), // FindCoordinator
    (10, 3, 3, "S1<>"), // FindCoordinator
    (10, 4, 6, "1{S}<>"), // FindCoordinator
    (11, 0, 0, "s4ss[sb]"), // JoinGroup
    (11, 1, 4, "s44ss[sb]"), // JoinGroup
    (11, 5, 5, "s44sss[sb]"), // JoinGroup
    (11, 6, 7, "S44SSS{SB<>}<>"), // JoinGroup
    (11, 8, 9, "S44SSS{SB<>}S<>"), // JoinGroup
    (12, 0, 2, "s4s"), // Heartbeat
    (12, 3, 3, "s4ss"), // Heartbeat
    (12, 4, 4, "S4SS<>"), // Heartbeat
    (13, 0, 2, "ss"), // LeaveGroup
    (13, 3, 3, "s[ss]"), // LeaveGroup
    (13, 4, 4, "S{SS<>}<>"), // LeaveGroup
    (13, 5, 5, "S{SSS<>}<>"), // LeaveGroup
    (14, 0, 2, "s4s[sb]"), // SyncGroup
    (14, 3, 3, "s4ss[sb]"), // SyncGroup
    (14, 4, 4, "S4SS{SB<>}<>"), // SyncGroup
    (14, 5, 5, "S4SSSS{SB<>}<>"), // SyncGroup
    (15, 0, 2, "[s]"), // DescribeGroups
    (15, 3, 4, "[s]1"), // DescribeGroups
    (15, 5, 6, "{S}1<>"), // DescribeGroups
    (16, 0, 2, ""), // ListGroups
    (16, 3, 3, "<>"), // ListGroups
    (16, 4, 4, "{S}<>"), // ListGroups
    (16, 5, 5, "{S}{S}<>"), // ListGroups
    (17, 0, 1, "s"), // SaslHandshake
    (18, 0, 2, ""), // ApiVersions
    (18, 3, 4, "SS<>"), // ApiVersions
    (19, 2, 4, "[s42[4[4]][ss]]41"), // CreateTopics
    (19, 5, 7, "{S42{4{4}<>}{SS<>}<>}41<>"), // CreateTopics
    (20, 1, 3, "[s]4"), // DeleteTopics
    (20, 4, 5, "{S}4<>"), // DeleteTopics
    (20, 6, 6, "{Su<>}4<>"), // DeleteTopics
    (21, 0, 1, "[s[48]]4"), // DeleteRecords
    (21, 2, 2, "{S{48<>}<>}4<>"), // DeleteRecords
    (22, 0, 1, "s4"), // InitProducerId
    (22, 2, 2, "S4<>"), // InitProducerId
    (22, 3, 5, "S482<>"), // InitProducerId
    (22, 6, 6, "S48211<>"), // InitProducerId
    (23, 2, 2, "[s[444]]"), // OffsetForLeaderEpoch
    (23, 3, 3, "4[s[444]]"), // OffsetForLeaderEpoch
    (23, 4, 4, "4{S{444<>}<>}<>"), // OffsetForLeaderEpoch
    (24, 0, 2, "s82[s[4]]"), // AddPartitionsToTxn
    (24, 3, 3, "S82{S{4}<>}<>"), // AddPartitionsToTxn
    (24, 4, 5, "{S821{S{4}<>}<>}<>"), // AddPartitionsToTxn
    (25, 0, 2, "s82s"), // AddOffsetsToTxn
    (25, 3, 4, "S82S<>"), // AddOffsetsToTxn
    (26, 0, 2, "s821"), // EndTxn
    (26, 3, 5, "S821<>"), // EndTxn
    (27, 1, 1, "{821{S{4}<>}4<>}<>"), // WriteTxnMarkers
    (27, 2, 2, "{821{S{4}<>}41<>}<>"), // WriteTxnMarkers
    (28, 0, 1, "ss82[s[48s]]"), // TxnOffsetCommit
    (28, 2, 2, "ss82[s[484s]]"), // TxnOffsetCommit
    (28, 3, 5, "SS824SS{S{484S<>}<>}<>"), // TxnOffsetCommit
    (29, 1, 1, "1s1ss11"), // DescribeAcls
    (29, 2, 3, "1S1SS11<>"), // DescribeAcls
    (30, 1, 1, "[1s1ss11]"), // CreateAcls
    (30, 2, 3, "{1S1SS11<>}<>"), // CreateAcls
    (31, 1, 1, "[1s1ss11]"), // DeleteAcls
    (31, 2, 3, "{1S1SS11<>}<>"), // DeleteAcls
    (32, 1, 2, "[1s[s]]1"), // DescribeConfigs
    (32, 3, 3, "[1s[s]]11"), // DescribeConfigs
    (32, 4, 4, "{1S{S}<>}11<>"), // DescribeConfigs
    (33, 0, 1, "[1s[ss]]1"), // AlterConfigs
    (33, 2, 2, "{1S{SS<>}<>}1<>"), // AlterConfigs
    (34, 1, 1, "[s[s[4]]]"), // AlterReplicaLogDirs
    (34, 2, 2, "{S{S{4}<>}<>}<>"), // AlterReplicaLogDirs
    (35, 1, 1, "[s[4]]"), // DescribeLogDirs
    (35, 2, 5, "{S{4}<>}<>"), // DescribeLogDirs
    (36, 0, 1, "b"), // SaslAuthenticate
    (36, 2, 2, "B<>"), // SaslAuthenticate
    (37, 0, 1, "[s4[[4]]]41"), // CreatePartitions
    (37, 2, 3, "{S4{{4}<>}<>}41<>"), // CreatePartitions
    (38, 1, 1, "[ss]8"), // CreateDelegationToken
    (38, 2, 2, "{SS<>}8<>"), // CreateDelegationToken
    (38, 3, 3, "SS{SS<>}8<>"), // CreateDelegationToken
    (39, 1, 1, "b8"), // RenewDelegationToken
    (39, 2, 2, "B8<>"), // RenewDelegationToken
    (40, 1, 1, "b8"), // ExpireDelegationToken
    (40, 2, 2, "B8<>"), // ExpireDelegationToken
    (41, 1, 1, "[ss]"), // DescribeDelegationToken
    (41, 2, 3, "{SS<>}<>"), // DescribeDelegationToken
    (42, 0, 1, "[s]"), // DeleteGroups
    (42, 2, 2, "{S}<>"), // DeleteGroups
    (43, 0, 0, "[s[4]]4"), // ElectLeaders
    (43, 1, 1, "1[s[4]]4"), // ElectLeaders
    (43, 2, 2, "1{S{4}<>}4<>"), // ElectLeaders
    (44, 0, 0, "[1s[s1s]]1"), // IncrementalAlterConfigs
    (44, 1, 1, "{1S{S1S<>}<>}1<>"), // IncrementalAlterConfigs
    (45, 0, 0, "4{S{4{4}<>}<>}<>"), // AlterPartitionReassignments
    (45, 1, 1, "41{S{4{4}<>}<>}<>"), // AlterPartitionReassignments
    (46, 0, 0, "4{S{4}<>}<>"), // ListPartitionReassignments
    (47, 0, 0, "s[s[4]]"), // OffsetDelete
    (48, 0, 0, "[s1s]1"), // DescribeClientQuotas
    (48, 1, 1, "{S1S<>}1<>"), // DescribeClientQuotas
    (49, 0, 0, "[[ss][s81]]1"), // AlterClientQuotas
    (49, 1, 1, "{{SS<>}{S81<>}<>}1<>"), // AlterClientQuotas
    (50, 0, 0, "{S<>}<>"), // DescribeUserScramCredentials
    (51, 0, 0, "{S1<>}{S14BB<>}<>"), // AlterUserScramCredentials
    (52, 0, 0, "S{S{44448<>}<>}<>"), // Vote
    (52, 1, 1, "S4{S{444uu48<>}<>}<>"), // Vote
    (52, 2, 2, "S4{S{444uu481<>}<>}<>"), // Vote
    (53, 0, 0, "s[s[444]]"), // BeginQuorumEpoch
    (53, 1, 1, "S4{S{4u44<>}<>}{SS2<>}<>"), // BeginQuorumEpoch
    (54, 0, 0, "s[s[444[4]]]"), // EndQuorumEpoch
    (54, 1, 1, "S{S{444{4u<>}<>}<>}{SS2<>}<>"), // EndQuorumEpoch
    (55, 0, 2, "{S{4<>}<>}<>"), // DescribeQuorum
    (56, 2, 2, "48{u{44{4}14<>}<>}<>"), // AlterPartition
    (56, 3, 3, "48{u{44{48<>}14<>}<>}<>"), // AlterPartition
    (57, 0, 0, "4{S21<>}<>"), // UpdateFeatures
    (57, 1, 2, "4{S21<>}1<>"), // UpdateFeatures
    (58, 0, 0, "BBB<>"), // Envelope
    (59, 0, 1, "44{S{4484<>8<>}<>}<>"), // FetchSnapshot
    (60, 0, 0, "1<>"), // DescribeCluster
    (60, 1, 1, "11<>"), // DescribeCluster
    (60, 2, 2, "111<>"), // DescribeCluster
    (61, 0, 0, "{S{4}<>}<>"), // DescribeProducers
    (62, 0, 0, "4Su{SS22<>}{S22<>}S<>"), // BrokerRegistration
    (62, 1, 1, "4Su{SS22<>}{S22<>}S1<>"), // BrokerRegistration
    (62, 2, 2, "4Su{SS22<>}{S22<>}S1{u}<>"), // BrokerRegistration
    (62, 3, 4, "4Su{SS22<>}{S22<>}S1{u}8<>"), // BrokerRegistration
    (63, 0, 0, "48811<>"), // BrokerHeartbeat
    (63, 1, 1, "48811<0:{u};>"), // BrokerHeartbeat
    (63, 2, 2, "48811<0:{u};1:{u};>"), // BrokerHeartbeat
    (64, 0, 0, "4<>"), // UnregisterBroker
    (65, 0, 0, "{S}<>"), // DescribeTransactions
    (66, 0, 0, "{S}{8}<>"), // ListTransactions
    (66, 1, 1, "{S}{8}8<>"), // ListTransactions
    (66, 2, 2, "{S}{8}8S<>"), // ListTransactions
    (67, 0, 0, "48<>"), // AllocateProducerIds
    (68, 0, 0, "SS4SS4{S}S{u{4}<>}<>"), // ConsumerGroupHeartbeat
    (68, 1, 1, "SS4SS4{S}SS{u{4}<>}<>"), // ConsumerGroupHeartbeat
    (69, 0, 1, "{S}1<>"), // ConsumerGroupDescribe
    (70, 0, 0, "4u1{SS22<>}{S22<>}<>"), // ControllerRegistration
    (71, 0, 0, "u<>"), // GetTelemetrySubscriptions
    (72, 0, 0, "u411B<>"), // PushTelemetry
    (73, 0, 0, "48{u{u{4<>}<>}<>}<>"), // AssignReplicasToDirs
    (74, 0, 0, "<>"), // ListConfigResources
    (74, 1, 1, "{1}<>"), // ListConfigResources
    (75, 0, 0, "{S<>}4(S4<>)<>"), // DescribeTopicPartitions
    (76, 1, 1, "SS4S{S}<>"), // ShareGroupHeartbeat
    (77, 1, 1, "{S}1<>"), // ShareGroupDescribe
    (78, 1, 1, "SS444444{u{4{88{1}<>}<>}<>}{u{4}<>}<>"), // ShareFetch
    (78, 2, 2, "SS44444411{u{4{88{1}<>}<>}<>}{u{4}<>}<>"), // ShareFetch
    (79, 1, 1, "SS4{u{4{88{1}<>}<>}<>}<>"), // ShareAcknowledge
    (79, 2, 2, "SS41{u{4{88{1}<>}<>}<>}<>"), // ShareAcknowledge
    (80, 0, 0, "S44u{SS2<>}<>"), // AddRaftVoter
    (80, 1, 1, "S44u{SS2<>}1<>"), // AddRaftVoter
    (81, 0, 0, "S4u<>"), // RemoveRaftVoter
    (82, 0, 0, "S44u{SS2<>}22<><>"), // UpdateRaftVoter
    (83, 0, 0, "S{u{448<>}<>}<>"), // InitializeShareGroupState
    (84, 0, 0, "S{u{44<>}<>}<>"), // ReadShareGroupState
    (85, 0, 0, "S{u{4448{8812<>}<>}<>}<>"), // WriteShareGroupState
    (85, 1, 1, "S{u{44484{8812<>}<>}<>}<>"), // WriteShareGroupState
    (86, 0, 0, "S{u{4<>}<>}<>"), // DeleteShareGroupState
    (87, 0, 1, "S{u{44<>}<>}<>"), // ReadShareGroupStateSummary
    (88, 0, 0, "SS44SS4(4{S{S}{S}{S42{SS<>}<>}{S}{S42{SS<>}<>}{{2}{2}{2}<>}<>}<>){S{4}<>}{S{4}<>}{S{4}<>}S(S2<>){SS<>}{S48<>}{S48<>}1<>"), // StreamsGroupHeartbeat
    (89, 0, 0, "{S}1<>"), // StreamsGroupDescribe
    (90, 0, 1, "{S{S{4}<>}<>}<>"), // DescribeShareGroupOffsets
    (91, 0, 0, "S{S{48<>}<>}<>"), // AlterShareGroupOffsets
    (92, 0, 0, "S{S<>}<>"), // DeleteShareGroupOffsets
];

/// Whether the counts in a request's body are true: each array has its elements.
///
/// Bodies whose shape is not known here pass, as do bytes after the last field.
pub(crate) fn counts_hold(api_key: i16, api_version: i16, body: &[u8]) -> bool {
    let shape = SHAPES
        .iter()
        .find(|(key, low, high, _)| *key == api_key && (*low..=*high).contains(&api_version));
    let Some((_, _, _, shape)) = shape else {
        return true;
    };
    let mut walk = Walk {
        rest: body,
        elements: 0,
    };
    walk.fields(shape.as_bytes()).is_some()
}

/// A pass over a body. Every step is `None` when the body does not fit.
struct Walk<'a> {
    rest: &'a [u8],
    elements: usize,
}

impl Walk<'_> {
    fn fields(&mut self, mut shape: &[u8]) -> Option<()> {
        while let Some((field, rest)) = shape.split_first() {
            shape = rest;
            match field {
                b'1' => self.skip(1)?,
                b'2' => self.skip(2)?,
                b'4' => self.skip(4)?,
                b'8' => self.skip(8)?,
                b'u' => self.skip(16)?,
                b's' => {
                    let length = i16::from_be_bytes(self.take()?);
                    self.skip(usize::try_from(length).unwrap_or(0))?;
                }
                b'b' => {
                    let length = i32::from_be_bytes(self.take()?);
                    self.skip(usize::try_from(length).unwrap_or(0))?;
                }
                b'S' | b'B' => {
                    let length = self.varint()?;
                    self.skip(length.saturating_sub(1))?;
                }
                b'[' | b'{' => {
                    let (element, rest) = split_group(shape)?;
                    shape = rest;
                    let count = if *field == b'[' {
                        usize::try_from(i32::from_be_bytes(self.take()?)).unwrap_or(0)
                    } else {
                        self.varint()?.saturating_sub(1)
                    };
                    self.elements = self.elements.saturating_add(count);
                    if count > self.rest.len() || self.elements > ELEMENTS_MAX {
                        return None;
                    }
                    for _ in 0..count {
                        self.fields(element)?;
                    }
                }
                b'(' => {
                    let (fields, rest) = split_group(shape)?;
                    shape = rest;
                    let [marker] = self.take()?;
                    if marker as i8 >= 0 {
                        self.fields(fields)?;
                    }
                }
                b'<' => {
                    let (tags, rest) = split_group(shape)?;
                    shape = rest;
                    self.tagged(tags)?;
                }
                _ => return None,
            }
        }
        Some(())
    }

    fn tagged(&mut self, tags: &[u8]) -> Option<()> {
        for _ in 0..self.varint()? {
            let tag = self.varint()?;
            let size = self.varint()?;
            let value = self.rest.get(..size)?;
            if let Some(shape) = tagged_shape(tags, tag) {
                let mut inner = Walk {
                    rest: value,
                    elements: self.elements,
                };
                inner.fields(shape)?;
                self.elements = inner.elements;
            }
            self.skip(size)?;
        }
        Some(())
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.rest = self.rest.get(count..)?;
        Some(())
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*first)
    }

    /// An unsigned varint of 32 bits.
    fn varint(&mut self) -> Option<usize> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.take()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return usize::try_from(value).ok();
            }
        }
        None
    }
}

/// What stands before the bracket that closes the group, and what follows it.
fn split_group(shape: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut depth = 0usize;
    for (at, byte) in shape.iter().enumerate() {
        match byte {
            b'[' | b'{' | b'(' | b'<' => depth += 1,
            b']' | b'}' | b')' | b'>' if depth == 0 => {
                return Some((shape.get(..at)?, shape.get(at + 1..)?));
            }
            b']' | b'}' | b')' | b'>' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The shape of one tag in `0:{u};1:{u};`.
fn tagged_shape(tags: &[u8], tag: usize) -> Option<&[u8]> {
    tags.split(|byte| *byte == b';').find_map(|entry| {
        let at = entry.iter().position(|byte| *byte == b':')?;
        let number: usize = std::str::from_utf8(entry.get(..at)?).ok()?.parse().ok()?;
        (number == tag).then_some(entry.get(at + 1..)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_well_formed() {
        for (key, low, high, shape) in SHAPES {
            assert!(low <= high);
            // Zero bytes are an empty body of every shape: empty strings, empty arrays, null structs.
            let zeros = [0u8; 256];
            assert!(counts_hold(*key, *low, &zeros), "{key} {low} {shape}");
        }
    }

    #[test]
    fn counts_that_lie_are_found() {
        // Metadata 1: one topic "ab"; then a count of two, and a count beyond all bytes.
        assert!(counts_hold(3, 1, b"\0\0\0\x01\0\x02ab"));
        assert!(!counts_hold(3, 1, b"\0\0\0\x02\0\x02ab"));
        assert!(!counts_hold(3, 1, b"\x7f\xff\xff\xff\0\x02ab"));
        assert!(counts_hold(3, 1, b"\xff\xff\xff\xff"));
        // BrokerHeartbeat 1 with a tag that holds an array.
        let body = |count: u8| {
            let mut body = vec![0; 22];
            body.extend([1, 0, 17, count]);
            body.extend([0; 16]);
            body
        };
        assert!(counts_hold(63, 1, &body(2)));
        assert!(!counts_hold(63, 1, &body(3)));
    }
}
