// Blocks where a program blocks: reads names from standard input, greets, keeps them in a file.
use std::fs::File;
use std::io::{self, BufRead, Write};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    println!("arguments: {}", arguments.join(" "));

    let mut file = File::create("/data/names.txt")?;
    let mut lines = io::stdin().lock().lines();
    let mut count = 0;
    loop {
        print!("Name? ");
        io::stdout().flush()?;
        let name = match lines.next() {
            Some(line) => line?,
            None => break,
        };
        println!("Hello, {name}!");
        writeln!(file, "{name}")?;
        count += 1;
    }
    println!("\n{count} names in /data/names.txt");
    std::process::exit(if count == 2 { 42 } else { 1 });
}
