# Title: perl, lua, luajit, ruby, php, tcl, gawk, bc, jq: forks, alarms, threads, files
# Needs: perl lua5.4 luajit ruby php tclsh gawk bc jq
# Package: perl lua5.4 luajit ruby php-cli tcl gawk bc jq
# Time: 200

run() {
	perl -e 'use strict; $| = 1; my %h; $h{$_} = $_ x 3 for 1 .. 100000; print scalar(keys %h), "\n";
		local $SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; sleep 5 }; print $@;
		my @p; for my $i (1 .. 20) { my $p = fork // die; exit $i if !$p; push @p, $p } my $s = 0;
		for (@p) { waitpid $_, 0; $s += $? >> 8 } print "$s\n"; pipe my $r, my $w; if (!fork) { print $w "x" x 100000; exit 0 }
		close $w; local $/; print length(<$r>), "\n"; wait; kill "USR1", $$ if $SIG{USR1} = sub { print "usr1\n" }; print `echo sub`;
		use Time::HiRes qw(usleep ualarm); $SIG{ALRM} = sub { print "u" }; ualarm 20000; usleep 100000; print "\n"'
	perl -Mthreads -Mthreads::shared -e 'my $n :shared = 0; $_->join for map { threads->create(sub { for (1 .. 2000) { lock $n; $n++ } }) } 1 .. 6; print "$n\n"'
	lua5.4 -e 'local t = {} for i = 1, 300000 do t[i] = tostring(i) end print(#table.concat(t))
		local co = coroutine.wrap(function() for i = 1, 100000 do coroutine.yield(i) end end) local s = 0 for i = 1, 100000 do s = s + co() end print(s)
		print(pcall(error, {code = 2})) local p = io.popen("echo hi") print(p:read("a")) print(p:close())' | sed 's/0x[0-9a-f]*/ADDRESS/'
	luajit -e 'local s = 0 for i = 1, 5e7 do s = (s + i) % 1000003 end print(s)
		local ffi = require("ffi") ffi.cdef "int getpid(void); void *malloc(size_t); void free(void *);"
		for i = 1, 1e5 do ffi.C.free(ffi.C.malloc(i % 4096)) end print(ffi.C.getpid() > 0)'
	ruby -e 'q = Queue.new; t = 4.times.map { |i| Thread.new { 1000.times { |k| q << k * i } } }; t.each(&:join); s = 0; s += q.pop until q.empty?; puts s
		pids = 5.times.map { |i| fork { exit i } }; p pids.map { |x| Process.wait2(x)[1].exitstatus }
		trap("USR1") { puts "trapped" }; Process.kill("USR1", $$); sleep 0.1
		f = Fiber.new { 3.times { |i| Fiber.yield i }; :end }; p 4.times.map { f.resume }
		require "timeout"; begin; Timeout.timeout(0.2) { sleep 5 }; rescue Timeout::Error; puts "timeout"; end
		p `echo shell`; r, w = IO.pipe; spawn("echo spawned", out: w); w.close; p r.read; GC.stress = false; 200000.times { "x" * 50 }; GC.start; puts "end"
		x = begin; raise "deep"; rescue => e; e.message; end; puts x; def deep(n) = deep(n + 1); begin; deep(0); rescue SystemStackError; puts "stack"; end'
	php -r '$a = []; for ($i = 0; $i < 200000; $i++) $a[] = md5($i); echo count(array_unique($a)), "\n"; echo shell_exec("echo php");
		set_error_handler(function ($n, $s) { echo "handled\n"; return true; }); echo $undefined; $p = proc_open("cat", [["pipe", "r"], ["pipe", "w"]], $f);
		fwrite($f[0], "text"); fclose($f[0]); echo stream_get_contents($f[1]), proc_close($p), "\n"; if (function_exists("pcntl_fork")) { $p = pcntl_fork(); if (!$p) exit(3); pcntl_waitpid($p, $s); echo pcntl_wexitstatus($s), "\n"; }
		set_time_limit(1); register_shutdown_function(function () { echo "over\n"; }); while (true);' 2>&1
	echo 'set s 0; for {set i 0} {$i < 200000} {incr i} { incr s $i }; puts $s; puts [exec echo tcl]; after 50 {set done 1}; vwait done
		set f [open "|cat" r+]; puts $f piped; flush $f; puts [gets $f]; close $f; package require Thread; set t [thread::create]; puts [thread::send $t {expr 6 * 7}]; thread::release $t' >script.tcl
	tclsh script.tcl 2>&1
	gawk 'BEGIN { for (i = 0; i < 300000; i++) a[i % 5000] += i; n = asort(a); print n, a[1], a[n]; "echo sub" | getline x; print x
		print "to cat" |& "cat"; close("cat", "to"); "cat" |& getline y; print y; print system("exit 3"); printf "%.3f %s\n", atan2(0, -1), strftime("%Y", 0, 1) }'
	echo 'scale = 300; 4 * a(1)' | bc -l | sha256sum
	jq -n '[range(100000) | {a: ., b: (. | tostring)}] | map(.b | length) | add'
}
