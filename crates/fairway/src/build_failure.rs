//! Why an image could not be built, with the places in the Dockerfile that are to blame.

use fairway_image::BuildError;
use fairway_model::{Colour, Diagnostic, render_all};
use std::{error::Error, fmt};

/// A failed build that shows the lines it speaks of.
#[derive(Debug)]
pub struct BuildFailure(pub BuildError);

impl fmt::Display for BuildFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let places = places(self.0.diagnostics());
        if !places.is_empty() {
            write!(f, "\n{}", places.trim_end())?;
        }
        match self.0.hint() {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl Error for BuildFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// One place without its message, which was said before; several with theirs.
fn places(diagnostics: &[Diagnostic]) -> String {
    let text = render_all(diagnostics, Colour::Off);
    match (diagnostics, text.split_once('\n')) {
        ([_], Some((_message, place))) => place.to_owned(),
        _ => text,
    }
}
