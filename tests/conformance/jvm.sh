# Title: a JVM: threads, locks, null checks, stack overflow, processes, G1, serial and parallel collectors, javac
# Needs: java javac
# Package: openjdk-17-jdk-headless
# Time: 150

prepare() {
	cat >Program.java <<'JAVA'
import java.io.*;
import java.net.*;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.stream.*;

public class Program {
	static int depth(int n) { return depth(n + 1) + 1; }
	static int sum;
	static synchronized void add(int n) { sum += n; }

	public static void main(String[] args) throws Exception {
		ExecutorService pool = Executors.newFixedThreadPool(8);
		List<Future<Long>> parts = new ArrayList<>();
		for (int i = 0; i < 16; i++) {
			final int n = i;
			parts.add(pool.submit(() -> { long s = 0; for (int k = 0; k < 300000; k++) { s += new int[k % 50 + 1].length * n; if (k % 1000 == 0) add(1); } return s; }));
		}
		long total = 0;
		for (Future<Long> part : parts)
			total += part.get();
		pool.shutdown();
		System.out.println(total + " " + sum);
		int nulls = 0;
		String nothing = args.length > 5 ? "" : null;
		for (int i = 0; i < 30000; i++)
			try { nulls += nothing.length(); } catch (NullPointerException e) { nulls++; }
		System.out.println(nulls);
		try { depth(0); } catch (StackOverflowError e) { System.out.println("stack overflow"); }
		Thread deep = new Thread(() -> { try { depth(0); } catch (StackOverflowError e) { System.out.println("in a thread"); } });
		deep.start();
		deep.join();
		try { long[][] a = new long[100000][]; for (int i = 0; ; i++) a[i] = new long[1 << 20]; } catch (OutOfMemoryError e) { System.out.println("out of memory"); }
		Process process = new ProcessBuilder("sh", "-c", "cat; exit 5").start();
		process.getOutputStream().write("piped\n".getBytes());
		process.getOutputStream().close();
		System.out.print(new String(process.getInputStream().readAllBytes()));
		System.out.println(process.waitFor());
		ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
		Thread answer = new Thread(() -> { try (Socket s = server.accept()) { s.getInputStream().transferTo(s.getOutputStream()); } catch (IOException e) { System.out.println(e); } });
		answer.start();
		try (Socket s = new Socket(InetAddress.getLoopbackAddress(), server.getLocalPort())) {
			s.getOutputStream().write(new byte[100000]);
			s.shutdownOutput();
			System.out.println(s.getInputStream().readAllBytes().length);
		}
		answer.join();
		Object monitor = new Object();
		synchronized (monitor) { monitor.wait(50); }
		Thread sleeper = new Thread(() -> { try { Thread.sleep(60000); } catch (InterruptedException e) { System.out.println("interrupted"); } });
		sleeper.start();
		Thread.sleep(20);
		sleeper.interrupt();
		sleeper.join();
		System.out.println(IntStream.range(0, 1000000).parallel().mapToObj(Integer::toString).collect(Collectors.groupingByConcurrent(String::length, Collectors.counting())));
		Files.writeString(Path.of("file"), "text");
		Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook")));
		System.exit(3);
	}
}
JAVA
	javac Program.java
}

run() {
	local collector
	for collector in UseG1GC UseSerialGC UseParallelGC; do
		java -XX:+$collector -Xmx200m -cp "$prepared" Program
		echo "$collector: $?"
	done
	java -Xint -Xmx200m -version >/dev/null 2>&1
	echo "interpreted: $?"
	java -Xcheck:jni -Xmx200m -cp "$prepared" Program >out 2>&1
	echo "checked: $?"
	grep -ci warning out
	rm out
	javac -d . "$prepared/Program.java"
	echo "javac: $?"
	echo 'class Single { public static void main(String[] a) { System.out.println("single " + 6 * 7); } }' >Single.java
	java Single.java
}
