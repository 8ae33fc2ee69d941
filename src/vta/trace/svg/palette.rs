//! What is drawn in which colour.

use super::canvas::Canvas;
use crate::vta::isa::Token;
use crate::vta::timing::{InsnClass, ReadClient, WaitReason};
use crate::vta::trace::record::Recorder;

/// Colour of an instruction.
pub(super) fn class(class: InsnClass) -> &'static str {
    match class {
        InsnClass::Nop => "#999999",
        InsnClass::LoadUop => "#9467bd",
        InsnClass::LoadWgt => "#1f77b4",
        InsnClass::LoadInp => "#17a2c4",
        InsnClass::LoadAcc => "#c58bd6",
        InsnClass::Gemm => "#2ca02c",
        InsnClass::GemmReset => "#98d67f",
        InsnClass::AluImm => "#bcbd22",
        InsnClass::AluTensor => "#8c8d12",
        InsnClass::Store => "#d9730d",
        InsnClass::Finish => "#000000",
    }
}

/// Colour of a queue of tokens, and of waiting for it.
pub(super) fn token(token: Token) -> &'static str {
    match token {
        Token::LoadToCompute => "#6baed6",
        Token::ComputeToLoad => "#e377c2",
        Token::ComputeToStore => "#ff7f7f",
        Token::StoreToCompute => "#fdae6b",
    }
}

/// Colour of waiting.
pub(super) fn wait(reason: WaitReason) -> &'static str {
    match reason {
        WaitReason::Fetch => "#d62728",
        WaitReason::Token(queue) => token(queue),
    }
}

/// Colour of a read.
pub(super) fn client(client: ReadClient) -> &'static str {
    match client {
        ReadClient::Fetch => wait(WaitReason::Fetch),
        ReadClient::Uop => class(InsnClass::LoadUop),
        ReadClient::Inp => class(InsnClass::LoadInp),
        ReadClient::Wgt => class(InsnClass::LoadWgt),
        ReadClient::Acc => class(InsnClass::LoadAcc),
    }
}

/// What waiting is called.
pub(super) fn wait_name(reason: WaitReason) -> String {
    match reason {
        WaitReason::Fetch => "waits for fetch".to_owned(),
        WaitReason::Token(token) => format!("waits for {token}"),
    }
}

/// Draws the legend of the instructions that occur and of all kinds of waiting.
pub(super) fn legend(recorder: &Recorder, canvas: &mut Canvas) {
    let occurs = |wanted: InsnClass| recorder.spans().iter().any(|span| span.class() == wanted);
    let classes = InsnClass::ALL.into_iter().filter(|&c| occurs(c));
    let mut entries: Vec<(&str, bool, String)> = classes
        .map(|c| (class(c), false, c.name().to_owned()))
        .collect();
    let tokens = Token::ALL.map(WaitReason::Token);
    for reason in [WaitReason::Fetch].into_iter().chain(tokens) {
        entries.push((wait(reason), true, wait_name(reason)));
    }
    canvas.legend(&entries);
}
