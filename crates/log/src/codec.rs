//! Compression of a batch's records: gzip, snappy with Xerial's framing, LZ4 frames, Zstandard.
//!
//! Output is bounded: hostile input costs at most the limit, and answers with an error.

use std::io::{Read, Write};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use lz4_flex::frame::{
    BlockMode, BlockSize, FrameDecoder as Lz4Decoder, FrameEncoder as Lz4Encoder, FrameInfo,
};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder as ZstdDecoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// Xerial's magic, version 1 and the lowest version that reads it.
const XERIAL_HEADER: [u8; 16] = [
    0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1,
];
const XERIAL_MAGIC_BYTES: usize = 8;
/// Uncompressed bytes of one Xerial block, as Java's `SnappyOutputStream` of Kafka cuts them.
const XERIAL_BLOCK_BYTES: usize = 32 * 1024;

/// A Zstandard window that is allowed even where the limit is smaller: what its levels up to 19 use.
const ZSTD_WINDOW_BYTES: u64 = 8 * 1024 * 1024;

/// How the records of a batch are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Codec {
    /// Not at all.
    #[default]
    None,
    /// gzip (id 1).
    Gzip,
    /// Snappy (id 2).
    Snappy,
    /// LZ4 frame (id 3).
    Lz4,
    /// Zstandard (id 4).
    Zstd,
}

impl Codec {
    /// All, by id.
    pub const ALL: [Codec; 5] = [
        Codec::None,
        Codec::Gzip,
        Codec::Snappy,
        Codec::Lz4,
        Codec::Zstd,
    ];

    /// The id in a batch's attributes.
    pub fn id(self) -> u8 {
        self as u8
    }

    /// The codec of an id.
    pub fn from_id(id: u8) -> Option<Codec> {
        Codec::ALL.get(usize::from(id)).copied()
    }

    /// The name, as in `compression.type`.
    pub fn name(self) -> &'static str {
        match self {
            Codec::None => "none",
            Codec::Gzip => "gzip",
            Codec::Snappy => "snappy",
            Codec::Lz4 => "lz4",
            Codec::Zstd => "zstd",
        }
    }

    /// The codec of a name.
    pub fn from_name(name: &str) -> Option<Codec> {
        Codec::ALL.into_iter().find(|codec| codec.name() == name)
    }
}

/// Why bytes did not decompress.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// They are not of the codec's format.
    #[error("Failed to decompress {} data: {reason}", codec.name())]
    Malformed {
        /// Which codec.
        codec: Codec,
        /// What it says.
        reason: String,
    },
    /// There is more output than allowed; a decompression bomb, perhaps.
    #[error("Decompressed {} data is larger than the maximum of {limit} bytes", codec.name())]
    TooLarge {
        /// Which codec.
        codec: Codec,
        /// The limit, in bytes.
        limit: usize,
    },
}

/// Compresses `bytes`.
pub fn compress(codec: Codec, bytes: &[u8]) -> Vec<u8> {
    match codec {
        Codec::None => bytes.to_vec(),
        Codec::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
            // Writing to memory does not fail.
            let _ = encoder.write_all(bytes);
            encoder.finish().unwrap_or_default()
        }
        Codec::Snappy => compress_xerial(bytes),
        Codec::Lz4 => {
            // Kafka's Lz4BlockOutputStream: independent 64 KiB blocks, no checksums.
            let info = FrameInfo::new()
                .block_mode(BlockMode::Independent)
                .block_size(BlockSize::Max64KB);
            let mut encoder = Lz4Encoder::with_frame_info(info, Vec::new());
            let _ = encoder.write_all(bytes);
            encoder.finish().unwrap_or_default()
        }
        Codec::Zstd => compress_to_vec(bytes, CompressionLevel::Fastest),
    }
}

/// Decompresses `bytes` into at most `limit` bytes.
///
/// # Errors
/// [`CodecError`].
pub fn decompress(codec: Codec, bytes: &[u8], limit: usize) -> Result<Vec<u8>, CodecError> {
    match codec {
        Codec::None if bytes.len() > limit => Err(CodecError::TooLarge { codec, limit }),
        Codec::None => Ok(bytes.to_vec()),
        Codec::Gzip => read_bounded(codec, MultiGzDecoder::new(bytes), bytes.len(), limit),
        Codec::Snappy if bytes.starts_with(&XERIAL_HEADER[..XERIAL_MAGIC_BYTES]) => {
            decompress_xerial(bytes, limit)
        }
        Codec::Snappy => {
            let mut output = Vec::new();
            snappy_block(bytes, &mut output, limit)?;
            Ok(output)
        }
        Codec::Lz4 => read_bounded(codec, Lz4Decoder::new(bytes), bytes.len(), limit),
        Codec::Zstd => decompress_zstd(bytes, limit),
    }
}

fn malformed(codec: Codec, reason: impl ToString) -> CodecError {
    CodecError::Malformed {
        codec,
        reason: reason.to_string(),
    }
}

fn read_bounded(
    codec: Codec,
    reader: impl Read,
    input: usize,
    limit: usize,
) -> Result<Vec<u8>, CodecError> {
    let mut output = Vec::with_capacity(input.saturating_mul(2).min(limit));
    let mut bounded = reader.take((limit as u64).saturating_add(1));
    bounded
        .read_to_end(&mut output)
        .map_err(|error| malformed(codec, error))?;
    if output.len() > limit {
        return Err(CodecError::TooLarge { codec, limit });
    }
    Ok(output)
}

fn compress_xerial(bytes: &[u8]) -> Vec<u8> {
    let mut output = XERIAL_HEADER.to_vec();
    let mut encoder = snap::raw::Encoder::new();
    for block in bytes.chunks(XERIAL_BLOCK_BYTES) {
        // Fails only above 4 GiB.
        let compressed = encoder.compress_vec(block).unwrap_or_default();
        output.extend_from_slice(&(compressed.len() as u32).to_be_bytes());
        output.extend_from_slice(&compressed);
    }
    output
}

fn decompress_xerial(bytes: &[u8], limit: usize) -> Result<Vec<u8>, CodecError> {
    let codec = Codec::Snappy;
    let mut rest = bytes
        .get(XERIAL_HEADER.len()..)
        .ok_or_else(|| malformed(codec, "incomplete header"))?;
    let mut output = Vec::new();
    while !rest.is_empty() {
        // Streams may be concatenated: a header may stand where a block's size would.
        if rest.starts_with(&XERIAL_HEADER[..XERIAL_MAGIC_BYTES])
            && rest.len() >= XERIAL_HEADER.len()
        {
            rest = &rest[XERIAL_HEADER.len()..];
            continue;
        }
        let Some((size, after)) = rest.split_first_chunk::<4>() else {
            return Err(malformed(codec, "incomplete block size"));
        };
        let size = u32::from_be_bytes(*size) as usize;
        let block = after
            .get(..size)
            .ok_or_else(|| malformed(codec, "incomplete block"))?;
        snappy_block(block, &mut output, limit)?;
        rest = &after[size..];
    }
    Ok(output)
}

/// Decompresses one raw block onto the end of `output`.
fn snappy_block(block: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<(), CodecError> {
    let codec = Codec::Snappy;
    let length = snap::raw::decompress_len(block).map_err(|error| malformed(codec, error))?;
    let start = output.len();
    if length > limit.saturating_sub(start) {
        return Err(CodecError::TooLarge { codec, limit });
    }
    // A copy of 64 bytes takes three: more than this factor is a lie, and not worth the memory.
    if length > block.len().saturating_mul(64) {
        return Err(malformed(codec, "the declared length is impossible"));
    }
    output.resize(start + length, 0);
    let written = snap::raw::Decoder::new()
        .decompress(block, &mut output[start..])
        .map_err(|error| malformed(codec, error))?;
    output.truncate(start + written);
    Ok(())
}

/// Frame by frame, block by block, so that neither a window nor the output grows past the limit.
fn decompress_zstd(bytes: &[u8], limit: usize) -> Result<Vec<u8>, CodecError> {
    let codec = Codec::Zstd;
    let mut rest = bytes;
    let mut output = Vec::new();
    while !rest.is_empty() {
        let mut decoder = ZstdDecoder::new();
        decoder.set_max_window_size((limit as u64).max(ZSTD_WINDOW_BYTES));
        decoder
            .reset(&mut rest)
            .map_err(|error| malformed(codec, error))?;
        while !decoder.is_finished() {
            decoder
                .decode_blocks(&mut rest, BlockDecodingStrategy::UptoBlocks(1))
                .map_err(|error| malformed(codec, error))?;
            decoder
                .collect_to_writer(&mut output)
                .map_err(|error| malformed(codec, error))?;
            if output.len() > limit {
                return Err(CodecError::TooLarge { codec, limit });
            }
        }
        decoder
            .collect_to_writer(&mut output)
            .map_err(|error| malformed(codec, error))?;
        if output.len() > limit {
            return Err(CodecError::TooLarge { codec, limit });
        }
        let stored = decoder.get_checksum_from_data();
        if stored.is_some() && stored != decoder.get_calculated_checksum() {
            return Err(malformed(codec, "the checksum differs"));
        }
    }
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<Vec<u8>> {
        let text: Vec<u8> = b"the quick brown fox jumps over the lazy dog. ".repeat(5000);
        let noise: Vec<u8> = (0..100_000_u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        vec![b"a".to_vec(), vec![0; 300_000], text, noise]
    }

    #[test]
    fn every_codec_round_trips() {
        for codec in Codec::ALL {
            assert_eq!(Codec::from_name(codec.name()), Some(codec));
            for sample in samples() {
                let packed = compress(codec, &sample);
                assert_eq!(
                    decompress(codec, &packed, sample.len()).unwrap(),
                    sample,
                    "{codec:?}"
                );
            }
        }
    }

    #[test]
    fn bombs_are_refused() {
        let zeros = vec![0; 8 * 1024 * 1024];
        for codec in Codec::ALL {
            let packed = compress(codec, &zeros);
            assert_eq!(
                decompress(codec, &packed, 100_000),
                Err(CodecError::TooLarge {
                    codec,
                    limit: 100_000
                })
            );
        }
    }

    #[test]
    fn damaged_input_is_an_error_or_other_bytes_never_a_panic() {
        let sample =
            b"some text that repeats, some text that repeats, and some that does not".repeat(40);
        for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
            let packed = compress(codec, &sample);
            assert!(
                decompress(codec, &packed[..packed.len() / 2], 1 << 20).is_err(),
                "{codec:?} cut"
            );
            for at in 0..packed.len() {
                for value in [0x00, 0xff, packed[at] ^ 0x10] {
                    let mut broken = packed.clone();
                    broken[at] = value;
                    let _ = decompress(codec, &broken, 1 << 20);
                }
            }
        }
        assert!(decompress(Codec::Snappy, &[0xff, 0xff, 0xff, 0xff, 0x0f], usize::MAX).is_err());
    }

    #[test]
    fn checksums_are_judged() {
        for codec in [Codec::Gzip, Codec::Zstd] {
            let mut packed = compress(codec, b"some text that repeats, some text that repeats");
            let checksum = packed.len() - if codec == Codec::Gzip { 8 } else { 4 };
            packed[checksum] ^= 1;
            assert!(decompress(codec, &packed, 1000).is_err(), "{codec:?}");
        }
    }

    #[test]
    fn plain_snappy_is_read_too() {
        let packed = snap::raw::Encoder::new()
            .compress_vec(b"plain plain plain")
            .unwrap();
        assert_eq!(
            decompress(Codec::Snappy, &packed, 100).unwrap(),
            b"plain plain plain"
        );
    }
}
