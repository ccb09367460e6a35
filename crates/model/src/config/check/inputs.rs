//! Inputs that lie outside of the fleet.

use crate::config::Service;
use crate::config::reporter::Reporter;
use crate::config::yaml::Document;

/// Reports inputs that leave the fleet's folder. `root` is the service's folder in it.
pub(super) fn check_inputs(service: &Service, root: &str, file: &Document, log: &mut Reporter) {
    let depth = root.split('/').filter(|part| !matches!(*part, "" | ".")).count();
    for (index, input) in service.inputs.iter().enumerate() {
        // An input is in its shortest form, so all its `..` come first.
        if input.split('/').take_while(|part| *part == "..").count() > depth {
            let span = file.value_span(&["inputs", &index.to_string()]);
            let wrong = log.diagnose(span, format!("input `{input}` lies outside of the fleet"));
            log.report(wrong.label(format!("the folder of the service is `{root}`")));
        }
    }
}
