//! TVM's tracker: the devices that it has by key, whether one answers, and who can reach them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::measure::{Endpoint, Peer, PeerError, RunOptions, Tracker, TrackerAddress};

use super::super::context::Context;
use super::noise::{Place, look_at_noise};
use super::sockets::Reach;
use super::{Findings, TRIFLE, echo};

/// Devices that a warning names.
const NAMED: usize = 4;

/// A tracker, and what is asked of it.
pub(super) struct Tracked<'a> {
    pub(super) address: TrackerAddress,
    /// The key of a device that is to answer.
    pub(super) key: Option<&'a str>,
    /// What code that device runs.
    pub(super) target: Option<&'a str>,
    /// Compiler to link with for it.
    pub(super) cross_compiler: Option<String>,
}

/// Looks at a tracker, its devices, and one with the key.
pub(super) async fn look_at_tracker(
    tracked: &Tracked<'_>,
    context: Option<&Context>,
    run: &RunOptions,
    findings: &mut Findings,
) {
    let address = &tracked.address;
    let summary = async { Tracker::connect(address).await?.summary().await };
    let summary = match summary.await {
        Ok(summary) => summary,
        Err(error) => return findings.bad("tracker", &PeerError::from(error).into()),
    };
    findings.good("tracker", format!("{address}, {}", describe_keys(&summary)));
    look_at_reach(address, &summary, findings).await;
    let (Some(key), Some(context)) = (tracked.key, context) else {
        return;
    };
    let endpoint = Endpoint::Tracker {
        address: address.clone(),
        key: key.to_owned(),
        patience: TRIFLE,
        lease: TRIFLE,
    };
    let mut peer = Peer::new(endpoint.clone());
    let answered = echo(&mut peer).await;
    peer.shut_down().await;
    match answered {
        Ok(took) => findings.good(
            "tracked device",
            format!(
                "`{key}` answers in {:.1} ms, connecting included",
                took.as_secs_f64() * 1e3
            ),
        ),
        Err(error) => return findings.bad("tracked device", &error),
    }
    let what = format!("`{key}`");
    let Some(target) = tracked.target else {
        let why = "its --target is not given, so no kernel can be built for it";
        return findings.skip(&format!("noise of {what}"), why);
    };
    let place = Place {
        what: &what,
        endpoint,
        target,
        cross_compiler: tracked.cross_compiler.clone(),
    };
    look_at_noise(context, &place, run, findings).await;
}

/// Says what of tracker and devices others can reach.
async fn look_at_reach(address: &TrackerAddress, summary: &Value, findings: &Findings) {
    let mut open = Vec::new();
    let mut closed = 0;
    for (host, port) in devices(summary) {
        match Reach::of(&host, port).await {
            Reach::Loopback => closed += 1,
            Reach::Unknown => {}
            Reach::Network(_) | Reach::OtherMachine => open.push(format!("{host}:{port}")),
        }
    }
    match Reach::of(&address.host, address.port).await {
        Reach::Loopback if open.is_empty() => {
            let devices = match closed {
                0 => String::new(),
                1 => ", and so does its device".to_owned(),
                n => format!(", and so do its {n} devices"),
            };
            findings.good(
                "reach",
                format!("the tracker listens on the loopback address only{devices}"),
            );
        }
        Reach::Network(ip) => findings.warn(
            "reach",
            format!("the tracker listens on {ip}"),
            "whoever reaches it can register devices of his own there, and is then sent your kernels: \
             start it with --host 127.0.0.1, or let only a network that you trust reach it",
        ),
        Reach::Loopback | Reach::OtherMachine | Reach::Unknown => {}
    }
    if !open.is_empty() {
        findings.warn("reach", describe_open(&open), OPEN_DEVICE);
    }
}

/// What an open RPC port means.
const OPEN_DEVICE: &str = "TVM's RPC has no password: whoever reaches such a port runs code of his choice on that \
     machine, as the user who started the server; serve with --host 127.0.0.1 or behind a firewall, and as a user \
     who owns nothing";

fn describe_open(open: &[String]) -> String {
    let named = open[..open.len().min(NAMED)].join(", ");
    match (open.len(), open.len().saturating_sub(NAMED)) {
        (1, _) => format!("the device {named} can be reached over the network"),
        (_, 0) => format!("the devices {named} can be reached over the network"),
        (_, more) => format!("the devices {named} and {more} more can be reached over the network"),
    }
}

/// Host and port of every device that has registered.
fn devices(summary: &Value) -> Vec<(String, u16)> {
    let listed = summary["server_info"].as_array();
    listed
        .into_iter()
        .flatten()
        .filter_map(|server| {
            let address = &server["addr"];
            let port = u16::try_from(address[1].as_u64()?).ok()?;
            Some((address[0].as_str()?.to_owned(), port))
        })
        .collect()
}

/// `pi`: 3 devices, 2 free, 0 waiting, for each key of the tracker's summary.
fn describe_keys(summary: &Value) -> String {
    let mut registered: BTreeMap<&str, usize> = BTreeMap::new();
    for server in summary["server_info"].as_array().into_iter().flatten() {
        // `server:pi`
        if let Some((_, key)) = server["key"].as_str().and_then(|key| key.split_once(':')) {
            *registered.entry(key).or_default() += 1;
        }
    }
    let keys: Vec<String> = summary["queue_info"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, info)| {
            let devices = match registered.get(key.as_str()).copied().unwrap_or(0) {
                1 => "1 device".to_owned(),
                n => format!("{n} devices"),
            };
            format!(
                "`{key}`: {devices}, {} free, {} waiting",
                info["free"], info["pending"]
            )
        })
        .collect();
    if keys.is_empty() {
        "no device has registered".to_owned()
    } else {
        keys.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_summary_is_told_by_key() {
        let summary = json!({
            "queue_info": {"pi": {"free": 1, "pending": 0}, "gone": {"free": 0, "pending": 3}},
            "server_info": [
                {"key": "server:pi", "addr": ["10.0.0.5", 9091]},
                {"key": "server:pi", "addr": ["10.0.0.6", 9091]},
            ],
        });
        assert_eq!(
            describe_keys(&summary),
            "`pi`: 2 devices, 1 free, 0 waiting; `gone`: 0 devices, 0 free, 3 waiting"
        );
        assert_eq!(devices(&summary).len(), 2);
        assert_eq!(describe_keys(&json!({})), "no device has registered");
    }

    #[test]
    fn a_warning_names_a_few_devices() {
        let open = |n: usize| {
            (0..n)
                .map(|n| format!("10.0.0.{n}:9091"))
                .collect::<Vec<_>>()
        };
        assert!(describe_open(&open(1)).starts_with("the device 10.0.0.0:9091 can"));
        assert!(describe_open(&open(6)).contains("10.0.0.3:9091 and 2 more"));
    }
}
