//! Bits, instructions and text are three views of the same thing, under every geometry.

mod vta_common;

use arco_tvm::vta::config::Geometry;
use arco_tvm::vta::isa::text::parse_insn;
use arco_tvm::vta::isa::{AluOp, Insn, Mem, Operand, RawInsn, Token, Uop, UopFields, decode};
use proptest::prelude::*;
use vta_common::geometry;

proptest! {
    #[test]
    fn whatever_decodes_encodes_to_an_instruction_that_decodes_the_same(bits: u128, g in geometry()) {
        if let Ok(insn) = decode(RawInsn(bits), &g) {
            let raw = insn.encode(&g).unwrap();
            prop_assert_eq!(decode(raw, &g), Ok(insn));
        }
    }

    #[test]
    fn text_of_an_instruction_assembles_to_the_same_instruction(bits: u128, g in geometry()) {
        if let Ok(insn) = decode(RawInsn(bits), &g) {
            let text = insn.to_string();
            prop_assert_eq!(parse_insn(&text), Ok(insn), "{}", text);
        }
    }

    #[test]
    fn a_micro_operation_survives_encoding(word: u32, g in geometry()) {
        let fields = UopFields::new(&g);
        let uop = fields.decode(word);
        let again = fields.encode(uop).unwrap();
        prop_assert_eq!(fields.decode(again), uop);
        let used = g.la() + g.la().max(g.li()) + g.lw();
        prop_assert_eq!(u64::from(again), u64::from(word) & ((1 << used) - 1));
    }

    #[test]
    fn no_line_of_text_makes_the_assembler_panic(text in "\\PC{0,60}") {
        let _ = parse_insn(&text);
    }

    #[test]
    fn no_line_that_looks_right_makes_the_assembler_panic(
        text in "(load|store|nop|gemm|alu|finish)\\.(inp|uop|reset|add|out)( [a-z<>]{1,8}(=-?[0-9x,.]{0,12})?){0,5}"
    ) {
        if let Ok(insn) = parse_insn(&text) {
            prop_assert_eq!(parse_insn(&insn.to_string()), Ok(insn));
        }
    }
}

#[test]
fn fields_lie_where_the_specification_puts_them() {
    let g = Geometry::default();
    // From the golden program conv_tiny_pad3x3: LOAD UOP of one micro-operation at byte 0x7000.
    let raw = RawInsn(u128::from_str_radix("00000001000100010000007000000010", 16).unwrap());
    let Ok(Insn::Load(load)) = decode(raw, &g) else {
        panic!("no load")
    };
    assert_eq!(
        (load.mem, load.sram_base, load.dram_base),
        (Mem::Uop, 0, 0x7000 / 4)
    );
    assert_eq!((load.y_size, load.x_size, load.x_stride), (1, 1, 1));
    assert!(
        load.deps.pop_next && !load.deps.pop_prev && !load.deps.push_prev && !load.deps.push_next
    );

    let bytes = [
        0x44, 0x10, 0x20, 0x80, 0x02, 0, 0x40, 0, 0, 0, 0x80, 0, 0, 0, 0x90, 0,
    ];
    let mut raw = RawInsn::from_bytes(bytes);
    raw.0 = u128::from_le_bytes(hex16("44102002080040000008000002900000"));
    let Ok(Insn::Alu(alu)) = decode(raw, &g) else {
        panic!("no ALU instruction")
    };
    assert!(alu.deps.push_next && !alu.deps.push_prev);
    assert_eq!(
        (alu.uop_bgn, alu.uop_end, alu.iter_out, alu.iter_in),
        (16, 17, 1, 32)
    );
    assert_eq!(
        (alu.dst_out, alu.dst_in, alu.src_out, alu.src_in),
        (0, 1, 0, 1)
    );
    assert_eq!((alu.op, alu.operand), (AluOp::Max, Operand::Imm(0)));
}

#[test]
fn free_opcodes_memory_types_and_operations_are_errors() {
    let g = Geometry::default();
    for opcode in [5, 6, 7] {
        assert!(decode(RawInsn(opcode), &g).is_err());
    }
    for mem in [6u128, 7] {
        assert!(decode(RawInsn(mem << 7), &g).is_err());
    }
    for op in [5u128, 6, 7] {
        assert!(decode(RawInsn(4 | op << (64 + 44)), &g).is_err());
    }
}

#[test]
fn a_value_too_big_for_the_geometry_is_an_encoding_error_that_names_the_field() {
    let g = Geometry::default();
    let insn = parse_insn("gemm uops=0..1 dst=2048,0").unwrap();
    let error = insn.encode(&g).unwrap_err().to_string();
    assert!(
        error.contains("dst_out = 2048") && error.contains("11 bits"),
        "{error}"
    );
    assert!(
        UopFields::new(&g)
            .encode(Uop {
                dst: 0,
                src: 0,
                wgt: 1024
            })
            .is_err()
    );
}

#[test]
fn text_reads_like_the_documentation_says() {
    let insn =
        parse_insn("load.inp dram=0x100 y=8 x=8 stride=8 pad=1,2,3,4 <compute >compute ; note")
            .unwrap();
    let Insn::Load(m) = insn else { panic!() };
    assert_eq!((m.y_pad_0, m.y_pad_1, m.x_pad_0, m.x_pad_1), (1, 2, 3, 4));
    assert_eq!(insn.pops(), [None, Some(Token::ComputeToLoad)]);
    assert_eq!(insn.pushes(), [None, Some(Token::LoadToCompute)]);
    let gemm = parse_insn("gemm uops=0..4 <load >store").unwrap();
    assert_eq!(gemm.pops(), [Some(Token::LoadToCompute), None]);
    assert_eq!(gemm.pushes(), [None, Some(Token::ComputeToStore)]);
    for wrong in [
        "load.inp <load",
        "fly",
        "gemm uops=1",
        "alu.add imm=40000",
        "finish x=1",
        "nop.load y=1 y=2",
        "load.inp pad=1,1,1,16",
        "load.inp <compute <compute",
    ] {
        assert!(parse_insn(wrong).is_err(), "{wrong}");
    }
}

fn hex16(text: &str) -> [u8; 16] {
    let bytes: Vec<u8> = (0..16)
        .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
        .collect();
    bytes.try_into().unwrap()
}
