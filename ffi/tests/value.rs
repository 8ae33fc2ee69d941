//! Every type code of TVM 0.19, through TVM and back.

mod support;

use tvm_rt::{
    ArgValue, DataType, Device, Error, Function, Module, NDArray, Object, OpaqueHandle, RetValue,
};

/// What a closure that returns its argument makes of it.
fn echo(arg: ArgValue<'_>) -> RetValue {
    support::tvm();
    let echo = Function::from_fn(|args| args.get(0)).unwrap();
    echo.call(&[arg]).unwrap()
}

/// An object that holds TVM's own string.
fn string_object(text: &[u8]) -> Object {
    support::tvm();
    Function::get("runtime.String")
        .unwrap()
        .call(&[text.into()])
        .unwrap()
        .try_into()
        .unwrap()
}

#[test]
fn plain_values_come_back_as_they_went() {
    assert!(matches!(echo(ArgValue::Null), RetValue::Null));
    assert!(matches!(echo(i64::MIN.into()), RetValue::Int(i64::MIN)));
    assert!(matches!(echo(0.1.into()), RetValue::Float(value) if value == 0.1));
    assert!(matches!(echo(true.into()), RetValue::Bool(true)));
    assert!(matches!(echo(false.into()), RetValue::Bool(false)));
    let device = Device::cpu(3).remote(tvm_rt::SessionIndex(1));
    assert!(matches!(echo(device.into()), RetValue::Device(returned) if returned == device));
    let handle = OpaqueHandle(std::ptr::without_provenance_mut(64));
    assert!(matches!(echo(handle.into()), RetValue::Handle(returned) if returned == handle));
}

#[test]
fn a_data_type_comes_back_as_its_name() {
    let returned = echo(DataType::FLOAT32.into());
    assert!(
        matches!(&returned, RetValue::Str(name) if name == "float32"),
        "{returned:?}"
    );
    assert_eq!(DataType::try_from(returned).unwrap(), DataType::FLOAT32);
}

#[test]
fn text_and_bytes_come_back_as_they_went() {
    for text in ["", "text", "größer", &"x".repeat(100_000)] {
        assert_eq!(String::try_from(echo(text.into())).unwrap(), text);
    }
    for bytes in [&b""[..], b"\0\xff", &[7; 100_000]] {
        assert_eq!(Vec::<u8>::try_from(echo(bytes.into())).unwrap(), bytes);
    }
}

#[test]
fn handles_come_back_as_the_same_thing() {
    support::tvm();
    let array = NDArray::from_slice(&[2], &[1.5_f32, 2.5]).unwrap();
    let returned = NDArray::try_from(echo((&array).into())).unwrap();
    returned.copy_from_slice(&[7.0_f32, 8.0]).unwrap();
    assert_eq!(array.to_vec::<f32>().unwrap(), [7.0, 8.0]);

    let function = Function::from_fn(|_| Ok(5.into())).unwrap();
    let returned = Function::try_from(echo((&function).into())).unwrap();
    assert!(returned.as_object().same_as(function.as_object()));

    let object = string_object(b"text");
    let returned = Object::try_from(echo((&object).into())).unwrap();
    assert!(returned.same_as(&object));

    let module = Function::get("runtime.SystemLib")
        .unwrap()
        .call(&[])
        .unwrap();
    let module = Module::try_from(module).unwrap();
    let returned = Module::try_from(echo((&module).into())).unwrap();
    assert!(returned.as_object().same_as(module.as_object()));
}

#[test]
fn a_tensor_view_is_read_but_not_kept() {
    support::tvm();
    let array = NDArray::from_slice(&[3], &[1_i32, 2, 3]).unwrap();
    let view: &tvm_rt::Tensor = &array;
    let sum = Function::from_fn(|args| {
        Ok(args
            .get::<&tvm_rt::Tensor>(0)?
            .to_vec::<i32>()?
            .iter()
            .sum::<i32>()
            .into())
    });
    let sum = sum.unwrap();
    assert_eq!(i64::try_from(sum.call(&[view.into()]).unwrap()).unwrap(), 6);
    assert_eq!(
        i64::try_from(sum.call(&[(&array).into()]).unwrap()).unwrap(),
        6
    );
    let keep = Function::from_fn(|args| args.get::<RetValue>(0)).unwrap();
    let error = keep.call(&[view.into()]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("argument 0: expected a value that outlives the call"),
        "{error}"
    );
}

#[test]
fn strings_that_tvm_keeps_as_objects_are_read_as_strings() {
    let object = string_object("größer".as_bytes());
    assert_eq!(object.type_key().unwrap(), "runtime.String");
    assert_eq!(object.to_text().unwrap(), "größer");
    assert_eq!(
        String::try_from(RetValue::Object(object.clone())).unwrap(),
        "größer"
    );
    let length =
        Function::from_fn(|args| Ok(RetValue::Int(args.get::<String>(0)?.len() as i64))).unwrap();
    assert_eq!(
        i64::try_from(length.call(&[(&object).into()]).unwrap()).unwrap(),
        8
    );

    let not_utf8 = string_object(b"\xff");
    let error = not_utf8.to_text().unwrap_err().to_string();
    assert!(error.contains("expected str, found bytes"), "{error}");
}

#[test]
fn numbers_in_containers_are_unboxed() {
    support::tvm();
    let array = Function::get("runtime.Array").unwrap();
    let array: Object = array
        .call(&[1.into(), 2.5.into(), true.into(), "s".into()])
        .unwrap()
        .try_into()
        .unwrap();
    let items = array.to_vec().unwrap();
    assert!(
        matches!(
            items[..],
            [
                RetValue::Int(1),
                RetValue::Float(2.5),
                RetValue::Bool(true),
                RetValue::Object(_)
            ]
        ),
        "{items:?}"
    );

    let map = Function::get("runtime.Map").unwrap();
    let map: Object = map
        .call(&["a".into(), 1.into(), "b".into(), 2.into()])
        .unwrap()
        .try_into()
        .unwrap();
    let pairs = map.to_pairs().unwrap().into_iter();
    let mut pairs: Vec<(String, i64)> = pairs
        .map(|(key, value)| (key.try_into().unwrap(), value.try_into().unwrap()))
        .collect();
    pairs.sort();
    assert_eq!(pairs, [("a".to_owned(), 1), ("b".to_owned(), 2)]);

    let error = map.to_vec().unwrap_err().to_string();
    assert!(error.contains("expected Array, found Map"), "{error}");
}

#[test]
fn numbers_convert_as_in_tvm_and_no_further() {
    assert_eq!(f64::try_from(RetValue::Int(3)).unwrap(), 3.0);
    assert!(bool::try_from(RetValue::Int(1)).unwrap());
    assert_eq!(i64::try_from(RetValue::Bool(true)).unwrap(), 1);
    assert_eq!(i32::try_from(RetValue::Int(-5)).unwrap(), -5);
    let message = |error: Error| error.to_string();
    assert_eq!(
        message(i64::try_from(RetValue::Float(3.0)).unwrap_err()),
        "TypeError: expected int, found float"
    );
    assert_eq!(
        message(i32::try_from(RetValue::Int(1 << 40)).unwrap_err()),
        "TypeError: expected an int of 32 bits, found the int 1099511627776"
    );
    assert_eq!(
        message(usize::try_from(RetValue::Int(-1)).unwrap_err()),
        "TypeError: expected an int that is not negative, found the int -1"
    );
    assert_eq!(
        message(String::try_from(RetValue::Null).unwrap_err()),
        "TypeError: expected str, found None"
    );
}

#[test]
fn a_string_with_a_nul_byte_is_refused_and_never_cut() {
    support::tvm();
    let echo = Function::from_fn(|args| args.get(0)).unwrap();
    let error = echo.call(&["a\0b".into()]).unwrap_err();
    assert!(
        matches!(&error, Error::Nul { text } if text == "a\0b"),
        "{error:?}"
    );
    let returns = Function::from_fn(|_| Ok("a\0b".into())).unwrap();
    assert!(returns.call(&[]).unwrap_err().to_string().contains("NUL"));
    assert!(matches!(Function::get("a\0b"), Err(Error::Nul { .. })));
}

#[test]
fn many_arguments_pass() {
    support::tvm();
    let join = Function::from_fn(|args| {
        let parts: Result<Vec<String>, Error> =
            (0..args.len()).map(|index| args.get(index)).collect();
        Ok(parts?.concat().into())
    });
    let texts: Vec<String> = (0..300).map(|index| format!("{index},")).collect();
    let args: Vec<ArgValue<'_>> = texts.iter().map(Into::into).collect();
    assert_eq!(
        String::try_from(join.unwrap().call(&args).unwrap()).unwrap(),
        texts.concat()
    );
}
