//! Features and scores for the training of the classifier, by the code that runs in the gateway.
//!
//! `names` writes name and group of each feature, a line each. `features` reads transactions as newline-delimited JSON and writes their
//! vectors as 32-bit floats. `scores` reads such vectors and writes likelihoods as 64-bit floats. All floats are little-endian.

use std::io::{BufRead, BufReader, BufWriter, Error, Read, Write, stdin, stdout};

use hauberk_traffic::TransactionRef;
use hauberk_traffic::classify::{FEATURES, features, likelihood_of_features};

fn main() -> Result<(), Error> {
    let mut input = BufReader::new(stdin().lock());
    let mut output = BufWriter::new(stdout().lock());
    match std::env::args().nth(1).as_deref() {
        Some("names") => write_names(&mut output)?,
        Some("features") => write_features(&mut input, &mut output)?,
        Some("scores") => write_scores(&mut input, &mut output)?,
        _ => {
            return Err(Error::other(
                "one of `names`, `features`, `scores` is expected",
            ));
        }
    }
    output.flush()
}

fn write_names(output: &mut impl Write) -> Result<(), Error> {
    for feature in FEATURES {
        writeln!(
            output,
            "{}\t{}\t{}",
            feature.name,
            feature.group.name(),
            feature.meaning
        )?;
    }
    Ok(())
}

fn write_features(input: &mut impl BufRead, output: &mut impl Write) -> Result<(), Error> {
    let mut vector = vec![0.0; FEATURES.len()];
    for line in input.lines() {
        let line = line?;
        let transaction =
            TransactionRef::from_line(&line).map_err(|error| Error::other(error.to_string()))?;
        features(&transaction, &mut vector);
        for value in &vector {
            output.write_all(&value.to_le_bytes())?;
        }
    }
    Ok(())
}

fn write_scores(input: &mut impl Read, output: &mut impl Write) -> Result<(), Error> {
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    for row in bytes.chunks_exact(4 * FEATURES.len()) {
        let values: Vec<f32> = row
            .chunks_exact(4)
            .map(|value| f32::from_le_bytes([value[0], value[1], value[2], value[3]]))
            .collect();
        output.write_all(&likelihood_of_features(&values).to_le_bytes())?;
    }
    Ok(())
}
