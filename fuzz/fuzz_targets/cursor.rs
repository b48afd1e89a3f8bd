#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    staygate::fuzzing::cursor(data);
    staygate::fuzzing::event_cursor(data);
});
