#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| staygate::fuzzing::card_number(data));
