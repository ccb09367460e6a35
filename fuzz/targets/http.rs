#![cfg_attr(fuzzing, no_main)]
#![allow(missing_docs, reason = "the target is documented where it is defined")]

fairway_fuzz::target!(http);
