//! The resource model against the numbers that the specification gives.

use arco_tvm::vta::config::{Geometry, Mem};
use arco_tvm::vta::resources::{Budget, Mapping, resources};

#[test]
fn the_default_geometry_costs_what_the_specification_says() {
    let r = resources(&Geometry::default(), Mapping::Single);
    let kib: Vec<u64> = r.buffers.iter().map(|b| b.bytes / 1024).collect();
    assert_eq!(kib, [32, 256, 32, 128, 32]);
    assert_eq!(r.buffer_bits, 480 * 1024 * 8);
    assert_eq!((r.macs, r.alu_lanes, r.adder_tree_depth), (256, 16, 4));
    assert_eq!(r.dsp_estimate, 256);
    assert_eq!(r.queue_bits, 3 * 64 * 1024 + 32 * 1024);
    let wgt = r.buffers.iter().find(|b| b.mem == Mem::Wgt).unwrap();
    // 2048-bit elements: two banks of 1024 bits, 1024 deep: 29 block RAMs (36 x 1024 each) a bank.
    assert_eq!(
        (
            wgt.banks,
            wgt.bank_bits,
            wgt.bank_depth,
            wgt.bram36_estimate
        ),
        (2, 1024, 1024, 58)
    );
    assert!((wgt.bus_ratio - 16.0).abs() < 1e-12);
    assert!((r.peak_gmacs - 25.6).abs() < 1e-9 && (r.bus_gbytes - 0.8).abs() < 1e-9);
}

#[test]
fn the_default_geometry_needs_packed_multipliers_on_a_pynq() {
    let fit = Budget::from_name("pynq").unwrap().fit(&Geometry::default());
    assert!(fit.fits(), "{:?}", fit.shortages);
    assert_eq!(
        (fit.resources.mapping, fit.resources.dsp_estimate),
        (Mapping::Packed, 128)
    );
    let roomy = Budget::from_name("xczu7ev")
        .unwrap()
        .fit(&Geometry::default());
    assert_eq!(roomy.resources.mapping, Mapping::Single);
}

#[test]
fn a_geometry_too_big_for_a_board_says_what_is_missing() {
    let big = Geometry::from_name("1x64_i8w8a32_15_17_21_19").unwrap();
    let fit = Budget::from_name("pynq").unwrap().fit(&big);
    assert!(!fit.fits());
    let missing: Vec<&str> = fit.shortages.iter().map(|s| s.resource).collect();
    assert!(
        missing.contains(&"bram36") && missing.contains(&"lut"),
        "{missing:?}"
    );
    assert!(fit.shortages.iter().all(|s| s.needed > s.available));
}

#[test]
fn every_resource_grows_with_the_blocks() {
    let small = resources(
        &Geometry::from_name("1x16_i8w8a32_15_15_18_17").unwrap(),
        Mapping::Lut,
    );
    let large = resources(
        &Geometry::from_name("1x32_i8w8a32_15_16_20_18").unwrap(),
        Mapping::Lut,
    );
    assert_eq!(large.macs, 4 * small.macs);
    assert_eq!(small.dsp_estimate, 0);
    assert!(large.mac_lut_estimate > 3 * small.mac_lut_estimate);
    assert!(large.bram36_estimate > 2 * small.bram36_estimate);
}

#[test]
fn wide_products_take_several_dsps() {
    let wide = Geometry::from_name("1x4_i32w32a32_8_12_12_12").unwrap();
    assert_eq!(resources(&wide, Mapping::Packed).dsp_estimate, 16 * 2 * 2);
    let blocks = Geometry::from_name("1x4x8_i8w8a32_8_12_12_12").unwrap();
    let r = resources(&blocks, Mapping::Single);
    assert_eq!((r.macs, r.adder_tree_depth, r.alu_lanes), (32, 2, 8));
}
