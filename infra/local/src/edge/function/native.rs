//! What the built-in modules ask of the host. Bytes pass as strings, one character from U+0000 to U+00FF for each.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::UNIX_EPOCH;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rquickjs::{Ctx, Function, Object};
use s3s::crypto::{Checksum as _, Md5, Sha1, Sha256};

use super::EdgeFunction;

/// Characters of log that are kept ("Restrictions on CloudFront Functions": logs are truncated at 10 KB).
const LOG_LIMIT: usize = 10_240;

/// What one run knows and leaves behind.
#[derive(Debug)]
pub(super) struct State {
    keys: Option<BTreeMap<String, String>>,
    origins: Vec<String>,
    now: Option<f64>,
    pub(super) viewer_request: Cell<bool>,
    pub(super) origin: RefCell<Option<String>>,
    pub(super) log: RefCell<Vec<String>>,
}

impl State {
    pub(super) fn of(function: &EdgeFunction) -> Self {
        let since = |time: std::time::SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            keys: function.keys.clone(),
            origins: function.origins.clone(),
            now: function.clock.map(|time| since(time).as_secs_f64() * 1e3).map(f64::floor),
            viewer_request: Cell::new(false),
            origin: RefCell::default(),
            log: RefCell::default(),
        }
    }

    fn say(&self, line: String) {
        let mut log = self.log.borrow_mut();
        let room = LOG_LIMIT.saturating_sub(log.iter().map(|line| line.chars().count()).sum());
        if room > 0 {
            log.push(line.chars().take(room).collect());
        }
    }

    /// Chooses an origin, or says why not.
    fn select(&self, id: String) -> Option<String> {
        if !self.viewer_request.get() {
            return Some("selectRequestOriginById is for viewer-request events".to_owned());
        }
        if !self.origins.contains(&id) {
            return Some(format!("the distribution has no origin {id}"));
        }
        *self.origin.borrow_mut() = Some(id);
        None
    }
}

/// The object `native` of the modules.
pub(super) fn object<'js>(ctx: &Ctx<'js>, state: &Rc<State>) -> rquickjs::Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    let function = |name: &str, function: rquickjs::Result<Function<'js>>| object.set(name, function?);
    function("encode", Function::new(ctx.clone(), encode))?;
    function("decode", Function::new(ctx.clone(), decode))?;
    function(
        "hash",
        Function::new(ctx.clone(), |algorithm: String, data: String| {
            hash(&algorithm, &bytes(&data)).map(|digest| binary(&digest))
        }),
    )?;
    function(
        "hmac",
        Function::new(ctx.clone(), |algorithm: String, key: String, data: String| {
            hmac(&algorithm, &bytes(&key), &bytes(&data)).map(|code| binary(&code))
        }),
    )?;
    let own = Rc::clone(state);
    function("log", Function::new(ctx.clone(), move |line: String| own.say(line)))?;
    let own = Rc::clone(state);
    function("get", Function::new(ctx.clone(), move |key: String| own.keys.as_ref()?.get(&key).cloned()))?;
    let own = Rc::clone(state);
    function(
        "count",
        Function::new(ctx.clone(), move || own.keys.as_ref().map(|keys| u32::try_from(keys.len()).unwrap_or(u32::MAX))),
    )?;
    let own = Rc::clone(state);
    function("select", Function::new(ctx.clone(), move |id: String| own.select(id)))?;
    if let Some(now) = state.now {
        object.set("now", now)?;
    }
    Ok(object)
}

fn bytes(binary: &str) -> Vec<u8> {
    binary.chars().map(|character| u8::try_from(u32::from(character)).unwrap_or(b'?')).collect()
}

fn binary(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Text of bytes; none in an encoding that is not known.
fn encode(data: String, encoding: String) -> Option<String> {
    let bytes = bytes(&data);
    Some(match encoding.as_str() {
        "utf8" | "utf-8" => String::from_utf8_lossy(&bytes).into_owned(),
        "hex" => hex::encode(bytes),
        "base64" => STANDARD.encode(bytes),
        "base64url" => URL_SAFE_NO_PAD.encode(bytes),
        _ => return None,
    })
}

/// Bytes of text; of what is not of the encoding, those before it.
fn decode(text: String, encoding: String) -> Option<String> {
    let bytes = match encoding.as_str() {
        "utf8" | "utf-8" => text.into_bytes(),
        "hex" => text.as_bytes().chunks_exact(2).map_while(|pair| hex::decode(pair).ok()).flatten().collect(),
        "base64" | "base64url" => lenient(&text),
        _ => return None,
    };
    Some(binary(&bytes))
}

/// Either alphabet, with padding or without, as njs and Node.js take it.
fn lenient(text: &str) -> Vec<u8> {
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let standard = |character: char| match character {
        '-' => '+',
        '_' => '/',
        other => other,
    };
    let known = |character: &char| character.is_ascii_alphanumeric() || matches!(character, '+' | '/');
    let mut text: String = text.chars().map(standard).take_while(known).collect();
    if text.len() % 4 == 1 {
        text.pop();
    }
    GeneralPurpose::new(&alphabet::STANDARD, CONFIG).decode(text).unwrap_or_default()
}

fn hash(algorithm: &str, data: &[u8]) -> Option<Vec<u8>> {
    Some(match algorithm {
        "md5" => Md5::checksum(data).to_vec(),
        "sha1" => Sha1::checksum(data).to_vec(),
        "sha256" => Sha256::checksum(data).to_vec(),
        _ => return None,
    })
}

/// RFC 2104; all three hashes have blocks of 64 bytes.
fn hmac(algorithm: &str, key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    const BLOCK: usize = 64;
    let mut block = if key.len() > BLOCK { hash(algorithm, key)? } else { key.to_vec() };
    block.resize(BLOCK, 0);
    let padded = |pad: u8| block.iter().map(|byte| byte ^ pad).collect::<Vec<_>>();
    let inner = hash(algorithm, &[padded(0x36), data.to_vec()].concat())?;
    hash(algorithm, &[padded(0x5c), inner].concat())
}
