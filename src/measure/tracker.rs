//! TVM's tracker, as its client: which devices there are, and a turn on one of them.
//!
//! The protocol is TVM's (python/tvm/rpc/tracker.py): a magic number each way, then JSON behind an i32le length.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const MAGIC: i32 = 0x2F271;
const REQUEST: i32 = 4;
const SUMMARY: i32 = 6;
const SUCCESS: i64 = 0;
/// The longest message that we believe.
const LONGEST: usize = 16 << 20;
/// How long a tracker may take to greet, or to tell its summary.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Where a tracker listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackerAddress {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl fmt::Display for TrackerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl FromStr for TrackerAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no HOST:PORT (for example 127.0.0.1:9190)");
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        if host.is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_owned(),
            port: port.parse().map_err(|_| wrong())?,
        })
    }
}

/// Why the tracker gave no device.
#[derive(Debug, thiserror::Error)]
pub enum TrackerError {
    /// Nobody listens there.
    #[error("no tracker at {address}: {source}")]
    Unreachable {
        /// Where it should be.
        address: TrackerAddress,
        /// What the system said.
        source: io::Error,
    },
    /// Something listens, and it is no tracker.
    #[error("{address} is no TVM tracker ({reason})")]
    NotATracker {
        /// Where it should be.
        address: TrackerAddress,
        /// What it did.
        reason: String,
    },
    /// No device of that key became free.
    #[error("no device with the key `{key}` became free at {address} within {} s", waited.as_secs())]
    NoDevice {
        /// The tracker.
        address: TrackerAddress,
        /// The key asked for.
        key: String,
        /// How long we waited.
        waited: Duration,
    },
}

/// A turn on a device: where it is, and the password for one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceTurn {
    /// Host of the device's server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What the session must present.
    pub match_key: String,
}

/// A connection to a tracker.
#[derive(Debug)]
pub struct Tracker {
    address: TrackerAddress,
    stream: TcpStream,
}

impl Tracker {
    /// Connects and greets.
    ///
    /// # Errors
    /// When nobody listens there or it is no tracker.
    pub async fn connect(address: &TrackerAddress) -> Result<Self, TrackerError> {
        let slow = || io::Error::new(io::ErrorKind::TimedOut, "no answer");
        let stream = timeout(
            ANSWER_LIMIT,
            TcpStream::connect((address.host.as_str(), address.port)),
        )
        .await
        .unwrap_or_else(|_| Err(slow()))
        .map_err(|source| TrackerError::Unreachable {
            address: address.clone(),
            source,
        })?;
        let mut tracker = Self {
            address: address.clone(),
            stream,
        };
        let greeting = timeout(ANSWER_LIMIT, tracker.greet()).await;
        match greeting.unwrap_or_else(|_| Err(slow())) {
            Ok(MAGIC) => Ok(tracker),
            Ok(other) => Err(tracker.not_a_tracker(format!("it greets with {other:#x}"))),
            Err(error) => Err(tracker.not_a_tracker(error.to_string())),
        }
    }

    async fn greet(&mut self) -> io::Result<i32> {
        self.stream.write_all(&MAGIC.to_le_bytes()).await?;
        self.stream.read_i32_le().await
    }

    fn not_a_tracker(&self, reason: String) -> TrackerError {
        TrackerError::NotATracker {
            address: self.address.clone(),
            reason,
        }
    }

    async fn ask(&mut self, question: &Value) -> io::Result<Value> {
        let question = question.to_string();
        self.stream
            .write_all(&(question.len() as i32).to_le_bytes())
            .await?;
        self.stream.write_all(question.as_bytes()).await?;
        let length = self.stream.read_i32_le().await?;
        let length = usize::try_from(length)
            .ok()
            .filter(|&length| length <= LONGEST)
            .ok_or_else(|| io::Error::other(format!("it announces {length} bytes")))?;
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    /// Waits up to `limit` for a device with this key.
    ///
    /// # Errors
    /// When none becomes free in time, or the tracker goes away.
    pub async fn request(mut self, key: &str, limit: Duration) -> Result<DeviceTurn, TrackerError> {
        // User and priority as TVM's own client sends them.
        let question = json!([REQUEST, key, "", 1]);
        let Ok(answer) = timeout(limit, self.ask(&question)).await else {
            return Err(TrackerError::NoDevice {
                address: self.address,
                key: key.to_owned(),
                waited: limit,
            });
        };
        let answer = answer.map_err(|error| self.not_a_tracker(error.to_string()))?;
        let turn = || {
            let (code, place) = (answer[0].as_i64()?, &answer[1]);
            (code == SUCCESS).then_some(DeviceTurn {
                host: place[0].as_str()?.to_owned(),
                port: u16::try_from(place[1].as_u64()?).ok()?,
                match_key: place[2].as_str()?.to_owned(),
            })
        };
        turn().ok_or_else(|| self.not_a_tracker(format!("it answers a request with {answer}")))
    }

    /// What the tracker knows: free and waiting per key, and its servers, as TVM's `query_rpc_tracker` prints it.
    ///
    /// # Errors
    /// When the tracker does not answer.
    pub async fn summary(mut self) -> Result<Value, TrackerError> {
        let answer = timeout(ANSWER_LIMIT, self.ask(&json!([SUMMARY]))).await;
        let answer = answer
            .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no answer")))
            .map_err(|error| self.not_a_tracker(error.to_string()))?;
        if answer[0].as_i64() != Some(SUCCESS) {
            return Err(self.not_a_tracker(format!("it answers a summary with {answer}")));
        }
        Ok(answer[1].clone())
    }
}
