//! The program `rollbook`: its command line, and nothing else.

fn main() -> std::process::ExitCode {
    rollbook::cli::main()
}
