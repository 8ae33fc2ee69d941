//! Arrays of this process; those behind a session are in rpc.rs.

mod support;

use tvm_rt::{DataType, Device, DeviceType, Error, NDArray};

#[test]
fn an_array_tells_its_shape_type_device_and_size() {
    support::tvm();
    let array = NDArray::empty(&[2, 3, 4], DataType::FLOAT64, Device::cpu(0)).unwrap();
    assert_eq!(array.shape(), [2, 3, 4]);
    assert_eq!(array.dtype(), DataType::FLOAT64);
    assert_eq!(array.device(), Device::cpu(0));
    assert_eq!((array.len(), array.byte_size()), (24, 192));
    assert_eq!(format!("{array:?}"), "NDArray([2, 3, 4], float64, cpu(0))");

    let scalar = NDArray::empty(&[], DataType::INT32, Device::cpu(0)).unwrap();
    assert_eq!(
        (scalar.shape(), scalar.len(), scalar.byte_size()),
        (&[][..], 1, 4)
    );
    let vectors = NDArray::empty(&[5], "uint8x4".parse().unwrap(), Device::cpu(0)).unwrap();
    assert_eq!(vectors.byte_size(), 20);
    let none = NDArray::empty(&[3, 0], DataType::INT8, Device::cpu(0)).unwrap();
    assert!(none.is_empty());
    assert_eq!(none.to_vec::<i8>().unwrap(), []);
}

#[test]
fn elements_of_every_type_come_back() {
    support::tvm();
    fn check<T: tvm_rt::Element + PartialEq + std::fmt::Debug>(elements: [T; 3]) {
        let array = NDArray::from_slice(&[3], &elements).unwrap();
        assert_eq!(array.dtype(), T::DATA_TYPE);
        assert_eq!(array.to_vec::<T>().unwrap(), elements);
    }
    check([i8::MIN, 0, i8::MAX]);
    check([i16::MIN, 0, i16::MAX]);
    check([i32::MIN, 0, i32::MAX]);
    check([i64::MIN, 0, i64::MAX]);
    check([u8::MIN, 1, u8::MAX]);
    check([u16::MIN, 1, u16::MAX]);
    check([u32::MIN, 1, u32::MAX]);
    check([u64::MIN, 1, u64::MAX]);
    check([f32::MIN_POSITIVE, -0.5, f32::INFINITY]);
    check([f64::MIN_POSITIVE, -0.5, f64::INFINITY]);
}

#[test]
fn bytes_are_those_of_the_elements_in_row_major_order() {
    support::tvm();
    let array = NDArray::from_slice(&[2, 2], &[1_i16, 2, 3, -1]).unwrap();
    let mut bytes = [0; 8];
    array.copy_to_bytes(&mut bytes).unwrap();
    assert_eq!(
        bytes,
        [1_i16, 2, 3, -1].map(i16::to_ne_bytes).as_flattened()
    );
    let other = NDArray::empty(&[4], DataType::INT16, Device::cpu(0)).unwrap();
    array.copy_to(&other).unwrap();
    assert_eq!(other.to_vec::<i16>().unwrap(), [1, 2, 3, -1]);
}

#[test]
fn a_wrong_size_or_type_is_refused_before_it_reaches_tvm() {
    support::tvm();
    let array = NDArray::empty(&[2, 3], DataType::FLOAT32, Device::cpu(0)).unwrap();
    let error = array.copy_from_slice(&[1.0_f32; 5]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "ValueError: an array of shape [2, 3] and type float32 holds 6 elements, not 5"
    );
    assert!(matches!(
        array.copy_from_bytes(&[0; 23]),
        Err(Error::Size {
            expected: 24,
            found: 23,
            ..
        })
    ));
    assert!(matches!(
        array.copy_to_bytes(&mut [0; 25]),
        Err(Error::Size { .. })
    ));
    assert!(matches!(
        array.copy_from_slice(&[1_i32; 6]),
        Err(Error::Type { .. })
    ));
    let error = array.to_vec::<f64>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "TypeError: expected f64, found an array of float32"
    );
    let other = NDArray::empty(&[5], DataType::FLOAT32, Device::cpu(0)).unwrap();
    assert!(matches!(array.copy_to(&other), Err(Error::Size { .. })));
    assert!(matches!(
        NDArray::from_slice(&[2], &[1_u8; 3]),
        Err(Error::Size { .. })
    ));
}

#[test]
fn an_impossible_array_is_an_error() {
    support::tvm();
    let empty = |shape: &[i64], device| NDArray::empty(shape, DataType::FLOAT32, device);
    assert!(matches!(
        empty(&[2, -1], Device::cpu(0)),
        Err(Error::Shape { .. })
    ));
    assert!(matches!(
        empty(&[i64::MAX, 2], Device::cpu(0)),
        Err(Error::Shape { .. })
    ));
    assert!(matches!(
        empty(&[1 << 60], Device::cpu(0)),
        Err(Error::Tvm(_))
    ));
    let error = empty(&[1], Device::new(DeviceType::CUDA, 0)).unwrap_err();
    assert!(error.to_string().contains("cuda is not enabled"), "{error}");
    assert!(empty(&[1], Device::cpu(0).remote(tvm_rt::SessionIndex(500))).is_err());
}
