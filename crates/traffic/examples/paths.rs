//! Describes the segments of labelled paths, and finds operations, for `training/paths/` and `benchmarks/discovery/`.
//!
//! ```text
//! paths describe WORDS MODELS OUT    a set of requests a line, [[method, path, template], …]; writes OUT.alone and OUT.among:
//!                                    rows of 32-bit floats: number of the set, 1 for a value, the numbers of the segment
//! paths operations WORDS MODELS      a set of requests a line, [[host, method, path, score], …]; prints its operations, a set a line
//! paths say WORDS MODELS           input as for describe; prints the path up to each segment in doubt, 1 for a value, and how likely
//!                                    it is one alone and among its neighbours
//! paths names                        prints what the numbers are, a line each for alone and among
//! ```
//!
//! WORDS and MODELS are files; `-` stands for no models, or for what is shipped.

use std::fs;
use std::io::{self, BufRead, BufWriter, Write};

use hauberk_traffic::discover::lab::{Labelled, Laboratory, Rows};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["describe", words, models, out] => describe(&laboratory(words, models)?, out),
        ["operations", "-", "-"] => operations(&Laboratory::shipped()),
        ["operations", words, models] => operations(&laboratory(words, models)?),
        ["say", words, models] => say(&laboratory(words, models)?),
        ["names"] => {
            let (alone, among) = Laboratory::names();
            println!("{}\n{}", alone.join(" "), among.join(" "));
            Ok(())
        }
        _ => Err(
            "usage: paths describe WORDS MODELS OUT | paths operations WORDS MODELS | paths names"
                .into(),
        ),
    }
}

fn laboratory(words: &str, models: &str) -> io::Result<Laboratory> {
    let models = (models != "-").then(|| fs::read(models)).transpose()?;
    Ok(Laboratory::new(
        &fs::read_to_string(words)?,
        models.as_deref(),
    ))
}

fn describe(laboratory: &Laboratory, out: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut alone = BufWriter::new(fs::File::create(format!("{out}.alone"))?);
    let mut among = BufWriter::new(fs::File::create(format!("{out}.among"))?);
    for (set, line) in io::stdin().lock().lines().enumerate() {
        let requests: Vec<[String; 3]> = serde_json::from_str(&line?)?;
        let labelled: Vec<Labelled<'_>> = requests
            .iter()
            .map(|[method, path, template]| Labelled {
                method,
                path,
                template,
            })
            .collect();
        let (one, other) = laboratory.describe(&labelled);
        write(&mut alone, set, &one)?;
        write(&mut among, set, &other)?;
    }
    alone.flush()?;
    among.flush()?;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "there are not so many sets")]
fn write(file: &mut impl Write, set: usize, rows: &Rows) -> io::Result<()> {
    for (numbers, is_value) in rows {
        file.write_all(&(set as f32).to_le_bytes())?;
        file.write_all(&f32::from(u8::from(*is_value)).to_le_bytes())?;
        for number in numbers {
            file.write_all(&number.to_le_bytes())?;
        }
    }
    Ok(())
}

fn say(laboratory: &Laboratory) -> Result<(), Box<dyn std::error::Error>> {
    for line in io::stdin().lock().lines() {
        let requests: Vec<[String; 3]> = serde_json::from_str(&line?)?;
        let labelled: Vec<Labelled<'_>> = requests
            .iter()
            .map(|[method, path, template]| Labelled {
                method,
                path,
                template,
            })
            .collect();
        for said in laboratory.say(&labelled) {
            let (alone, among) = said.likelihood;
            println!(
                "{}\t{}\t{alone:.3}\t{among:.3}",
                said.prefix,
                u8::from(said.is_value)
            );
        }
    }
    Ok(())
}

fn operations(laboratory: &Laboratory) -> Result<(), Box<dyn std::error::Error>> {
    for line in io::stdin().lock().lines() {
        let requests: Vec<(String, String, String, f64)> = serde_json::from_str(&line?)?;
        let requests = requests.iter().map(|(host, method, path, score)| {
            (host.as_str(), method.as_str(), path.as_str(), *score)
        });
        println!(
            "{}",
            serde_json::to_string(&laboratory.operations(requests))?
        );
    }
    Ok(())
}
