//! What the child gives up before it looks at a byte it was sent.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Limits memory, processor time, open files and core dumps, and gives up the network, files and programs.
pub(crate) fn confine(memory: u64, cpu_seconds: u64) -> io::Result<()> {
    limit(Resource::As, memory)?;
    // The first limit says why it ends the process, the second would not.
    limit_softly(Resource::Cpu, cpu_seconds, cpu_seconds + 5)?;
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    deny_system_calls()
}

fn limit(resource: Resource, most: u64) -> io::Result<()> {
    limit_softly(resource, most, most)
}

fn limit_softly(resource: Resource, first: u64, last: u64) -> io::Result<()> {
    setrlimit(
        resource,
        Rlimit {
            current: Some(first),
            maximum: Some(last),
        },
    )
    .map_err(io::Error::from)
}

/// Every system call that reaches outside the process answers "not permitted" from here on, in every thread.
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
fn deny_system_calls() -> io::Result<()> {
    use std::collections::BTreeMap;

    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter_all_threads};

    let denied: BTreeMap<i64, Vec<seccompiler::SeccompRule>> = denied_calls()
        .into_iter()
        .map(|call| (call, Vec::new()))
        .collect();
    let arch = std::env::consts::ARCH
        .try_into()
        .map_err(|error| io::Error::other(format!("{error:?}")))?;
    let program: BpfProgram = SeccompFilter::new(
        denied,
        SeccompAction::Allow,
        SeccompAction::Errno(PERMISSION_DENIED),
        arch,
    )
    .and_then(TryInto::try_into)
    .map_err(|error| io::Error::other(error.to_string()))?;
    apply_filter_all_threads(&program).map_err(|error| io::Error::other(error.to_string()))
}

/// `EPERM`, as the filter returns it.
#[cfg(target_os = "linux")]
const PERMISSION_DENIED: u32 = 1;

/// What a reader of spreadsheets never needs: sockets, opening or changing files, starting programs, other processes.
/// Pairs of sockets stay: they reach nothing outside, and the runtime that polars starts wants one.
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
fn denied_calls() -> Vec<i64> {
    let mut calls = vec![
        libc::SYS_socket,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_openat,
        libc::SYS_openat2,
        libc::SYS_unlinkat,
        libc::SYS_renameat2,
        libc::SYS_mkdirat,
        libc::SYS_linkat,
        libc::SYS_symlinkat,
        libc::SYS_fchmodat,
        libc::SYS_fchownat,
        libc::SYS_mount,
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_kill,
        libc::SYS_tkill,
        libc::SYS_io_uring_setup,
        libc::SYS_bpf,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_unshare,
        libc::SYS_setns,
    ];
    #[cfg(target_arch = "x86_64")]
    calls.extend([
        libc::SYS_open,
        libc::SYS_creat,
        libc::SYS_unlink,
        libc::SYS_rename,
        libc::SYS_mkdir,
        libc::SYS_link,
        libc::SYS_symlink,
        libc::SYS_fork,
        libc::SYS_vfork,
    ]);
    calls
}

/// Elsewhere the limits are all there is: production runs on Linux.
#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
fn deny_system_calls() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::fs::File;
    use std::net::TcpListener;
    use std::process::Command;

    use super::*;

    /// Set in the process that confines itself: what is given up can't be had back.
    const INSIDE: &str = "CHILD_TEST_INSIDE";

    #[test]
    fn gives_up_the_network_files_and_programs() {
        if std::env::var_os(INSIDE).is_some() {
            confined();
            return;
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let inside = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "confine::tests::gives_up_the_network_files_and_programs",
            ])
            .args(["--nocapture", "--test-threads", "1"])
            .env(INSIDE, listener.local_addr().unwrap().to_string())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&inside.stdout);
        assert!(inside.status.success(), "{said}");
        assert!(said.contains("all given up"), "{said}");
    }

    fn confined() {
        let address = std::env::var(INSIDE).unwrap();
        let program = std::env::current_exe().unwrap();
        assert!(std::net::TcpStream::connect(&address).is_ok());
        assert!(File::open(&program).is_ok());
        confine(1 << 30, 30).unwrap();
        let denied = |result: io::Result<()>| {
            assert_eq!(result.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        };
        denied(std::net::TcpStream::connect(&address).map(drop));
        denied(File::open(&program).map(drop));
        denied(std::fs::write(std::env::temp_dir().join("child"), "x"));
        denied(Command::new(&program).spawn().map(drop));
        // A thread still can be started, and so can memory be had within the limit.
        assert_eq!(std::thread::spawn(|| 1 + 1).join().unwrap(), 2);
        assert!(Vec::<u8>::new().try_reserve_exact(2 << 30).is_err());
        println!("all given up");
    }
}
