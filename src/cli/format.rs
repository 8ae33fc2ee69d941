//! Numbers and tables as people read them.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};

/// `12.3 us`, `4.56 ms`, `1.20 s`.
pub fn seconds(value: f64) -> String {
    match value {
        v if v < 1e-3 => format!("{:.1} us", v * 1e6),
        v if v < 1.0 => format!("{:.3} ms", v * 1e3),
        v => format!("{v:.2} s"),
    }
}

/// `45.2 GFLOP/s`.
pub fn flops(value: f64) -> String {
    match value {
        v if v >= 1e12 => format!("{:.2} TFLOP/s", v / 1e12),
        v if v >= 1e9 => format!("{:.1} GFLOP/s", v / 1e9),
        v => format!("{:.1} MFLOP/s", v / 1e6),
    }
}

/// `1,234,567`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    groups.join(",")
}

/// `2m05s`.
pub fn duration(value: Duration) -> String {
    let seconds = value.as_secs();
    match seconds {
        s if s >= 3600 => format!("{}h{:02}m", s / 3600, s % 3600 / 60),
        s if s >= 60 => format!("{}m{:02}s", s / 60, s % 60),
        s => format!("{s}s"),
    }
}

/// A word as a shell takes it: in quotes where it needs them.
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A table without lines; columns from `numbers_from` on are set to the right.
pub fn table(head: &[&str], numbers_from: usize, rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head);
    table.add_rows(rows);
    for column in table.column_iter_mut().skip(numbers_from) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_a_person_writes_them() {
        assert_eq!(seconds(1.23e-5), "12.3 us");
        assert_eq!(seconds(0.00456), "4.560 ms");
        assert_eq!(flops(4.52e10), "45.2 GFLOP/s");
        assert_eq!(count(711_234_567), "711,234,567");
        assert_eq!(count(12), "12");
        assert_eq!(shell_word("out/resnet-18.log"), "out/resnet-18.log");
        assert_eq!(shell_word("llvm -mcpu=native"), "'llvm -mcpu=native'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(duration(Duration::from_secs(125)), "2m05s");
    }
}
