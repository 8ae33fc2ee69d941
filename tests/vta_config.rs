//! What a VTA configuration file, a geometry's name and the validity rules promise.

use arco_tvm::vta::config::{ConfigError, Geometry, Mem, Preset, RuleViolation, VtaConfig};

const DEFAULT: &str = r#"{"TARGET": "sim", "HW_VER": "0.0.2", "LOG_INP_WIDTH": 3, "LOG_WGT_WIDTH": 3,
    "LOG_ACC_WIDTH": 5, "LOG_BATCH": 0, "LOG_BLOCK": 4, "LOG_UOP_BUFF_SIZE": 15, "LOG_INP_BUFF_SIZE": 15,
    "LOG_WGT_BUFF_SIZE": 18, "LOG_ACC_BUFF_SIZE": 17}"#;

fn default() -> VtaConfig {
    VtaConfig::from_json(DEFAULT).unwrap()
}

fn violations(config: &VtaConfig) -> Vec<RuleViolation> {
    match config.geometry() {
        Err(ConfigError::Rules(violations)) => violations,
        other => panic!("expected violated rules, got {other:?}"),
    }
}

#[test]
fn the_default_configuration_has_the_depths_of_the_specification() {
    let g = default().geometry().unwrap();
    assert_eq!([g.lu(), g.li(), g.lw(), g.la()], [13, 11, 10, 11]);
    assert_eq!(g.depth(Mem::Uop), 8192);
    assert_eq!(g.depth(Mem::Inp), 2048);
    assert_eq!(g.depth(Mem::Wgt), 1024);
    assert_eq!(g.depth(Mem::Acc), 2048);
    assert_eq!(
        Mem::ALL.map(|mem| g.elem_bytes(mem)),
        [4, 256, 16, 64, 16, 16]
    );
    assert_eq!(g.log_out_buff_size(), 15);
    assert_eq!(g.macs(), 256);
}

#[test]
fn the_default_geometry_keeps_the_old_name_byte_for_byte() {
    let g = default().geometry().unwrap();
    assert_eq!(g.name(), "1x16_i8w8a32_15_15_18_17");
    assert_eq!(g.model(), "sim_1x16_i8w8a32_15_15_18_17");
}

#[test]
fn block_32_with_doubled_buffers_keeps_the_depths() {
    let config = VtaConfig {
        log_block: 5,
        log_inp_buff_size: 16,
        log_wgt_buff_size: 19,
        log_acc_buff_size: 18,
        ..default()
    };
    let g = config.geometry().unwrap();
    assert_eq!(
        [g.depth(Mem::Inp), g.depth(Mem::Wgt), g.depth(Mem::Acc)],
        [2048, 512, 2048]
    );
}

#[test]
fn blocks_may_differ_and_the_name_says_so() {
    let config = VtaConfig {
        log_block_in: Some(4),
        log_block_out: Some(5),
        log_wgt_buff_size: 19,
        log_acc_buff_size: 18,
        ..default()
    };
    let g = config.geometry().unwrap();
    assert_eq!((g.block_in(), g.block_out()), (16, 32));
    assert_eq!(g.elem_bytes(Mem::Wgt), 512);
    assert_eq!(g.elem_bytes(Mem::Acc), 128);
    assert_eq!(g.elem_bytes(Mem::Out), 32);
    assert_eq!(g.name(), "1x16x32_i8w8a32_15_15_19_18_bus64_b16_c100");
    assert_eq!(Geometry::from_name(&g.model()).unwrap().model(), g.model());
}

#[test]
fn every_preset_is_a_valid_geometry_and_its_name_leads_back_to_it() {
    for preset in Preset::ALL {
        let g = preset.geometry();
        assert_eq!(preset.config().geometry().unwrap(), g);
        assert_eq!(Geometry::from_name(&g.model()).unwrap(), g);
        assert_eq!(Preset::from_name(preset.name()), Some(preset));
        assert!(g.name().starts_with("1x16_i8w8a32_15_15_18_17"));
    }
}

#[test]
fn a_uop_buffer_that_spills_the_low_word_names_the_rule_and_the_numbers() {
    let found = violations(&VtaConfig {
        log_uop_buff_size: 16,
        ..default()
    });
    assert_eq!(found, [RuleViolation::LoopWordLow { lu: 14 }]);
    assert!(
        found[0].to_string().contains("65 exceeds 64"),
        "{}",
        found[0]
    );
}

#[test]
fn a_weight_buffer_that_spills_the_uop_word_names_the_rule_and_the_numbers() {
    let found = violations(&VtaConfig {
        log_wgt_buff_size: 19,
        ..default()
    });
    assert!(found.contains(&RuleViolation::UopWord {
        la: 11,
        li: 11,
        lw: 11
    }));
    assert!(
        found[0].to_string().contains("11 + 11 + 11 = 33"),
        "{}",
        found[0]
    );
}

#[test]
fn every_violated_rule_is_listed() {
    let found = violations(&VtaConfig {
        log_acc_buff_size: 18,
        log_uop_buff_size: 16,
        ..default()
    });
    assert!(
        found.contains(&RuleViolation::UopWord {
            la: 12,
            li: 11,
            lw: 10
        }),
        "{found:?}"
    );
    assert!(
        found.contains(&RuleViolation::AluWordHigh { la: 12 }),
        "{found:?}"
    );
    assert!(
        found.contains(&RuleViolation::LoopWordLow { lu: 14 }),
        "{found:?}"
    );
    let wide = VtaConfig {
        log_wgt_buff_size: 19,
        log_inp_buff_size: 16,
        log_block: 3,
        ..default()
    };
    let found = violations(&wide);
    assert!(
        found
            .iter()
            .any(|v| matches!(v, RuleViolation::GemmWordHigh { .. })),
        "{found:?}"
    );
}

#[test]
fn an_element_beyond_a_page_is_refused() {
    let config = VtaConfig {
        log_block: 7,
        log_wgt_buff_size: 24,
        log_acc_buff_size: 20,
        ..default()
    };
    let found = violations(&config);
    assert_eq!(
        found,
        [RuleViolation::ElementPage {
            buffer: "wgt",
            bytes: 16384
        }]
    );
}

#[test]
fn a_buffer_smaller_than_its_element_is_refused() {
    let found = violations(&VtaConfig {
        log_wgt_buff_size: 7,
        ..default()
    });
    assert_eq!(
        found,
        [RuleViolation::Depth {
            buffer: "wgt",
            log_bytes: 7,
            bits: 2048
        }]
    );
}

#[test]
fn absurd_numbers_are_refused_without_overflow() {
    let config = VtaConfig {
        log_block: u32::MAX,
        log_batch: u32::MAX,
        log_uop_buff_size: u32::MAX,
        log_inp_width: u32::MAX,
        ..default()
    };
    assert!(violations(&config).len() >= 4);
}

#[test]
fn a_contradicting_derived_field_is_refused_and_a_right_one_accepted() {
    let good = VtaConfig {
        log_out_width: Some(3),
        log_out_buff_size: Some(15),
        ..default()
    };
    assert!(good.geometry().is_ok());
    let bad = VtaConfig {
        log_out_buff_size: Some(16),
        ..default()
    };
    assert_eq!(
        bad.geometry(),
        Err(ConfigError::Derived {
            field: "LOG_OUT_BUFF_SIZE",
            found: 16,
            derived: 15
        })
    );
}

#[test]
fn unknown_targets_missing_fields_and_wrong_types_are_named() {
    let config = VtaConfig {
        target: "toaster".into(),
        ..default()
    };
    assert!(
        config
            .geometry()
            .unwrap_err()
            .to_string()
            .contains("toaster")
    );
    let missing = DEFAULT.replace("\"LOG_BATCH\": 0,", "");
    assert!(
        VtaConfig::from_json(&missing)
            .unwrap_err()
            .to_string()
            .contains("LOG_BATCH")
    );
    let negative = DEFAULT.replace("\"LOG_BATCH\": 0", "\"LOG_BATCH\": -1");
    assert!(VtaConfig::from_json(&negative).is_err());
    assert!(VtaConfig::from_json("[1").is_err());
}

#[test]
fn a_configuration_file_survives_reading_and_writing() {
    let config = VtaConfig {
        log_block_out: Some(5),
        clock_mhz: Some(150),
        extra: serde_json::from_str(r#"{"NOTE": "kept"}"#).unwrap(),
        ..default()
    };
    assert_eq!(VtaConfig::from_json(&config.to_json()).unwrap(), config);
}

#[test]
fn derived_values_are_written_on_request() {
    let text = default().with_derived().unwrap().to_json();
    for field in [
        "\"LOG_BLOCK_IN\": 4",
        "\"LOG_OUT_WIDTH\": 3",
        "\"LOG_OUT_BUFF_SIZE\": 15",
        "\"AXI_BITS\": 64",
    ] {
        assert!(text.contains(field), "{field} not in {text}");
    }
}

#[test]
fn a_name_that_follows_no_pattern_is_refused() {
    for name in [
        "",
        "1x16",
        "1x15_i8w8a32_15_15_18_17",
        "1x16_i8w8a32_15_15_18",
        "1x16_i8w8a32_15_15_18_17_q9",
        "1x16_i8w8a32_15_15_18_17_b16_b16",
        "1x2x3x4_i8w8a32_1_1_1_1",
        "1x16_i8w8a32_15_15_18_-1",
    ] {
        assert!(
            matches!(Geometry::from_name(name), Err(ConfigError::Name(_))),
            "{name}"
        );
    }
}
