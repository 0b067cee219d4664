# Title: Rust (threads, panics, channels), Go (static, cgo, goroutines, signals, race-free maps)
# Needs: /usr/bin/rustc /usr/bin/go gcc
# Package: rustc golang-go
# Time: 90

prepare() {
	cat >program.rs <<'RS'
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{mpsc, Arc, Barrier, Condvar, Mutex, RwLock};
use std::thread;
use std::time::Duration;

fn main() {
    let map = Arc::new(RwLock::new(HashMap::new()));
    let barrier = Arc::new(Barrier::new(4));
    let hands: Vec<_> = (0..4u64)
        .map(|n| {
            let (map, barrier) = (map.clone(), barrier.clone());
            thread::spawn(move || {
                for i in 0..5000u64 {
                    map.write().unwrap().insert(i * 4 + n, format!("value {}", i));
                }
                barrier.wait();
                map.read().unwrap().len()
            })
        })
        .collect();
    println!("{:?}", hands.into_iter().map(|h| h.join().unwrap()).collect::<Vec<_>>());
    std::panic::set_hook(Box::new(|_| ()));
    println!("{}", thread::spawn(|| panic!("in a thread")).join().is_err());
    println!("{}", std::panic::catch_unwind(|| { let v: Vec<u8> = vec![]; v[std::env::args().count()] }).is_err());
    let (send, receive) = mpsc::channel();
    for n in 0..8 {
        let send = send.clone();
        thread::spawn(move || for i in 0..1000 { send.send(i * n).unwrap(); });
    }
    drop(send);
    println!("{}", receive.iter().sum::<i32>());
    let pair = Arc::new((Mutex::new(0), Condvar::new()));
    let other = pair.clone();
    thread::spawn(move || { thread::sleep(Duration::from_millis(20)); *other.0.lock().unwrap() = 7; other.1.notify_all(); });
    let got = pair.1.wait_while(pair.0.lock().unwrap(), |n| *n == 0).unwrap();
    println!("{}", *got);
    println!("{}", pair.1.wait_timeout(Mutex::new(0).lock().unwrap(), Duration::from_millis(10)).unwrap().1.timed_out());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || { let mut s = listener.accept().unwrap().0; let mut text = String::new(); s.read_to_string(&mut text).unwrap(); text.len() });
    TcpStream::connect(("127.0.0.1", port)).unwrap().write_all(&[b'x'; 50000]).unwrap();
    println!("{}", server.join().unwrap());
    let out = Command::new("sh").args(["-c", "echo shell; exit 4"]).output().unwrap();
    println!("{} {:?}", String::from_utf8_lossy(&out.stdout).trim(), out.status.code());
    fn deep(n: u64) -> u64 { let a = [n; 100]; if n == u64::MAX { 0 } else { deep(n + 1) + std::hint::black_box(a)[50] } }
    if std::env::args().count() > 1 { println!("{}", deep(0)); }
    std::process::exit(5);
}
RS
	sed -i 's/std::hint::black_box(a)\[50\]/a[(n % 100) as usize]/' program.rs
	/usr/bin/rustc -O -g -o rust program.rs && /usr/bin/rustc -C panic=abort -o rust-abort program.rs || return 1
	cat >program.go <<'GO'
package main

/*
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
static void *work(void *n) { for (int i = 0; i < 1000; i++) free(malloc(i)); usleep(1000); return n; }
static long threads(long n) { long sum = 0; pthread_t t; for (long i = 0; i < n; i++) { void *r; pthread_create(&t, NULL, work, (void *)i); pthread_join(t, &r); sum += (long)r; } return sum; }
*/
import "C"

import (
	"fmt"
	"net"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
)

func deep(n int) int { var a [100]int; a[n%100] = n; if n == 0 { return 0 }; return deep(n-1) + a[n%100] - n }

func main() {
	var group sync.WaitGroup
	var lock sync.Mutex
	m := map[int]string{}
	for n := 0; n < 200; n++ {
		group.Add(1)
		go func(n int) {
			defer group.Done()
			for i := 0; i < 100; i++ {
				lock.Lock()
				m[n*100+i] = fmt.Sprint(i)
				lock.Unlock()
			}
			deep(5000)
			C.free(C.malloc(C.size_t(n)))
		}(n)
	}
	group.Wait()
	fmt.Println(len(m), C.threads(50))
	runtime.GC()
	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		var p *int
		*p = 1
	}()
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR1)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	fmt.Println(<-c)
	out, err := exec.Command("sh", "-c", "echo shell; exit 3").Output()
	fmt.Printf("%s%v\n", out, err)
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	go func() { s, _ := l.Accept(); io.Copy(s, s); s.Close() }()
	s, _ := net.Dial("tcp", l.Addr().String())
	s.Write(make([]byte, 5000))
	s.(*net.TCPConn).CloseWrite()
	b, _ := io.ReadAll(s)
	fmt.Println(len(b))
	select {
	case <-time.After(20 * time.Millisecond):
		fmt.Println("after")
	}
	os.Exit(4)
}
GO
	export GOCACHE=$prepared/cache GOPATH=$prepared/path GO111MODULE=off GOFLAGS=-p=2
	CGO_ENABLED=1 /usr/bin/go build -o cgo program.go &&
		sed '/^\/\*/,/^import "C"/d; s/, C.threads(50)//; /C.free/d' program.go >static.go &&
		CGO_ENABLED=0 /usr/bin/go build -o static static.go
}

run() {
	for program in rust rust-abort cgo static; do
		bash -c "$prepared/$program; echo $program: \$?" 2>&1 | sed 's/line 1: *[0-9]*/line 1: N/'
	done
	bash -c "$prepared/rust overflow >/dev/null; echo overflow: \$?" 2>&1 | grep '^overflow\|has overflowed' |
		sed "s/'<unknown>'/'main'/"
	GOGC=5 GODEBUG=asyncpreemptoff=0 "$prepared/cgo" | tail -n 1
}
