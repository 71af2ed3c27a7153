//! The binary as a person runs it.

mod run;
mod story;

use run::{Run, abaca};

#[test]
fn version_and_help() {
    let version = abaca().args(["--version"]).run();
    version.succeeded();
    assert_eq!(version.out, format!("abaca {}\n", env!("CARGO_PKG_VERSION")));
    for command in [&["serve"][..], &["db", "migrate"], &["config", "show"], &["demo"]] {
        let help = abaca().args(command).args(["--help"]).run();
        help.succeeded();
        let usage = format!("Usage: abaca {}", command.join(" "));
        assert!(help.out.contains(&usage) && help.out.contains("Examples:"), "{}", help.out);
    }
}

#[test]
fn no_command_and_unknown_ones_are_usage_errors() {
    let nothing = abaca().run();
    nothing.failed(2);
    assert!(nothing.err.contains("Usage: abaca"), "{}", nothing.err);
    let unknown = abaca().args(["serv"]).run();
    unknown.failed(2);
    assert!(unknown.err.contains("serve"), "the nearest one is named: {}", unknown.err);
    abaca().args(["serve", "--role", "king"]).run().failed(2);
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = abaca().args(["completions", shell]).run();
        script.succeeded();
        assert!(script.out.contains("data-dir"), "{shell}");
    }
}

#[test]
fn config_show_explains_and_can_be_used() {
    let run = abaca();
    let file = run.directory().join("abaca.toml");
    let text = "[database]\nurl = 'postgres://u:s3cret@h/n'\n[worker]\nhost = 'h'\n";
    std::fs::write(&file, text).unwrap();
    let show = || Run::again(&run).args(["config", "show", "--config"]).arg(&file).run();
    let shown = show();
    shown.succeeded();
    assert!(shown.out.contains("postgres://u:********@h/n"), "{}", shown.out);
    assert!(!shown.out.contains("s3cret"));
    let origin = format!("# Set by {}:2.", file.display());
    assert!(shown.out.contains(&origin), "{}", shown.out);

    std::fs::write(&file, &shown.out).unwrap();
    show().succeeded();
}

#[test]
fn a_wrong_configuration_is_told_and_exits_with_2() {
    for command in [&["serve"][..], &["db", "status"], &["db", "migrate"], &["config", "show"]] {
        let run = abaca().args(command).env("ABACA__API__LISEN", "127.0.0.1:0").run();
        run.failed(2);
        let expected = "error: the configuration is wrong: environment ABACA__API__LISEN: \
                        `api.lisen` is not a known key; did you mean `api.listen`?\n";
        assert_eq!((run.err.as_str(), run.out.as_str()), (expected, ""), "{command:?}");
    }
    let absent = abaca().args(["config", "show", "--config", "/nowhere.toml"]).run();
    absent.failed(2);
    assert!(absent.err.contains("/nowhere.toml") && absent.err.contains("\n  because: No such"));
}

#[test]
fn serve_refuses_what_it_cannot_do_before_it_starts() {
    let outside = abaca().args(["serve", "--listen", "0.0.0.0:0"]).run();
    outside.failed(2);
    assert!(outside.err.contains("option --listen: `api.listen`: 0.0.0.0:0"), "{}", outside.err);
    let keystone = abaca().args(["serve"]).env("ABACA__IDENTITY__STRATEGY", "keystone").run();
    keystone.failed(2);
    assert!(keystone.err.contains("`identity.auth_url`: missing"), "{}", keystone.err);
    let file = abaca();
    let taken = file.directory().join("a-file");
    std::fs::write(&taken, "").unwrap();
    let run = file.args(["serve", "--data-dir"]).arg(&taken).run();
    run.failed(1);
    assert!(run.err.contains("the data directory") && run.err.contains("because:"), "{}", run.err);
}

#[test]
fn db_status_and_migrate() {
    let run = abaca();
    let data = run.directory().join("data");
    let command = |name: &str| Run::again(&run).args(["db", name, "--data-dir"]).arg(&data).run();

    let absent = command("status");
    absent.failed(1);
    assert!(absent.err.contains("there is no database at"), "{}", absent.err);
    assert!(!data.exists(), "looking makes nothing");

    let migrated = command("migrate");
    migrated.succeeded();
    assert!(migrated.out.contains("applied    1  initial"), "{}", migrated.out);
    let again = command("migrate");
    again.succeeded();
    assert!(again.out.contains("the schema is up to date"), "{}", again.out);
    let status = command("status");
    status.succeeded();
    assert!(!status.out.contains("pending") && status.out.contains("initial"), "{}", status.out);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let run = abaca().args(["config", "show"]).run_with_closed_output();
    run.succeeded();
    assert_eq!(run.err, "");
}

#[test]
fn policy_list_check_and_sample() {
    let run = abaca();
    let sample = Run::again(&run).args(["policy", "sample"]).run();
    sample.succeeded();
    let file = run.directory().join("policy.yaml");
    std::fs::write(&file, &sample.out).unwrap();
    let policy = |name: &str| Run::again(&run).args(["policy", name, "--file"]).arg(&file).run();

    let checked = policy("check");
    checked.succeeded();
    assert!(checked.out.contains("0 of them from files"), "{}", checked.out);
    let listed = policy("list");
    listed.succeeded();
    let rules = listed.out.lines().filter(|line| line.starts_with("share_snapshot_instance:"));
    assert_eq!(rules.count(), 4, "{}", listed.out);

    std::fs::write(&file, "share_snapshot_instance:show: role:support\nno:such: '@'\n").unwrap();
    let checked = policy("check");
    checked.failed(1);
    assert!(checked.out.contains("no:such"), "{}", checked.out);
    assert!(policy("list").out.contains("policy.yaml"));

    std::fs::write(&file, "[not a mapping").unwrap();
    let broken = policy("check");
    broken.failed(1);
    assert!(broken.err.contains("policy.yaml"), "{}", broken.err);
}

#[test]
fn policy_explain_says_who_may_do_what() {
    let explain = |arguments: &str| {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let run = abaca().args(["policy", "explain"]).args(&arguments).run();
        run.succeeded();
        run.out
    };
    let rule = "share_snapshot_instance:show";
    assert!(explain(&format!("{rule} --roles admin")).starts_with(&format!("{rule}: allowed\n")));
    assert!(explain(&format!("{rule} --roles member")).starts_with(&format!("{rule}: refused\n")));
    let own = "share:delete --project p1 --target project_id=p1";
    assert!(explain(own).starts_with("share:delete: allowed\n"));
    let other = "share:delete --project p1 --target project_id=p2";
    assert!(explain(other).starts_with("share:delete: refused\n"));
    let all = explain("--roles reader");
    assert!(all.contains("refused  share_snapshot_instance:show\n"), "{all}");
    assert!(all.contains("allowed  share:get_all\n"), "{all}");
}
