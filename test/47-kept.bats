#!/usr/bin/env bats
#
# The last files of a connection stay open: they are opened once, and every
# change of the tree is seen by the next request all the same.

load lib
load spawn
load filesystems

teardown() {
	unmount_all
}

@test "a file that is asked for again is kept open, from the second request on" {
	talk <<-'EOP'
		from kept import *
		root = tree()
		write(root, "dir/page.html", "a page")
		settle(root)
		c = Handler("--timeout=20", root=root)
		for wanted in ([], ["dir/page.html"], ["dir/page.html"]):
		    check("the content", c.ask("/dir/page.html").content, b"a page")
		    check_kept(c, root, "kept", wanted)
	EOP
}

@test "what is kept is not opened again, nor looked for in other codings" {
	talk <<-'EOP'
		from kept import *
		root = tree()
		write(root, "page.html", "a page")
		settle(root)
		trace = os.path.join(TMP, "trace")
		c = Handler(root=root, before=(
		    "strace", "-f", "-qq", "-o", trace, "-e", "trace=openat2"))
		for _ in range(10):
		    check("the content", c.ask("/page.html").content, b"a page")
		c.half_close()
		c.check_ended(*["ok"] * 10)
		with open(trace) as file:
		    check("opened", file.read().count("openat2("), 2)
	EOP
}

@test "every change of the tree is seen by the next request" {
	let_others_in
	talk <<-'EOP'
		from kept import *
		root = tree()
		gzip = "Accept-Encoding: gzip"

		def at(case, name):
		    return os.path.join(root, case, name)

		def replaced(case):
		    write(root, case + "/new", "another")
		    os.rename(at(case, "new"), at(case, "f.txt"))
		def swapped(case):
		    os.rename(at(case, "sub"), at(case, "old"))
		    write(root, case + "/sub/f.txt", "another")
		def linked(target):
		    def change(case):
		        os.remove(at(case, "f.txt"))
		        os.symlink(target, at(case, "f.txt"))
		    return change
		def linked_above(case):
		    os.rename(at(case, "sub"), at(case, "old"))
		    write(root, case + "/other/f.txt", "another")
		    os.symlink("other", at(case, "sub"))
		def new_neighbour(case):
		    write(root, case + "/f.txt.gz", "zipped")
		    os.utime(at(case, "f.txt.gz"), (1e9, 1e9))

		# What is asked for, what happens then, and status and content after it.
		cases = {
		    "overwritten": ("f.txt", lambda n: write(root, n + "/f.txt", "another"), 200, b"another"),
		    "appended": ("f.txt", lambda n: write(root, n + "/f.txt", " and more", "a"), 200, b"a file and more"),
		    "cut": ("f.txt", lambda n: os.truncate(at(n, "f.txt"), 3), 200, b"a f"),
		    "replaced": ("f.txt", replaced, 200, b"another"),
		    "removed": ("f.txt", lambda n: os.remove(at(n, "f.txt")), 404, None),
		    "forbidden": ("f.txt", lambda n: os.chmod(at(n, "f.txt"), 0), 403, None),
		    "shut": ("sub/f.txt", lambda n: os.chmod(at(n, "sub"), 0), 403, None),
		    "shut above": ("sub/f.txt", lambda n: os.chmod(at(n, ""), 0), 403, None),
		    "moved": ("sub/f.txt", lambda n: os.rename(at(n, "sub"), at(n, "old")), 404, None),
		    "swapped": ("sub/f.txt", swapped, 200, b"another"),
		    "linked": ("f.txt", linked("sub/f.txt"), 200, b"a file"),
		    "linked out": ("f.txt", linked("/etc/passwd"), 404, None),
		    "linked above": ("sub/f.txt", linked_above, 200, b"another"),
		    "a directory": ("f.txt", lambda n: (os.remove(at(n, "f.txt")), os.mkdir(at(n, "f.txt"))), 301, None),
		    "zipped": ("f.txt", new_neighbour, 200, b"zipped"),
		    "unzipped": ("z.txt", lambda n: os.remove(at(n, "z.txt.gz")), 200, b"a file"),
		    "zipped anew": ("z.txt", lambda n: write(root, n + "/z.txt.gz", "newly zipped"), 200, b"newly zipped"),
		    "outdated": ("z.txt", lambda n: os.utime(at(n, "z.txt")), 200, b"a file"),
		    "renewed": ("o.txt", lambda n: write(root, n + "/o.txt.gz", "newly zipped"), 200, b"newly zipped"),
		    "an index": ("sub/", lambda n: os.remove(at(n, "sub/index.html")), 404, None),
		}
		for case in cases:
		    for name in ("f.txt", "z.txt", "sub/f.txt", "sub/index.html"):
		        os.utime(write(root, f"{case}/{name}", "a file"), (1e9, 1e9))
		    os.utime(write(root, f"{case}/z.txt.gz", "zipped"), (1e9, 1e9))
		    os.utime(write(root, f"{case}/o.txt", "a file"), (1e9, 1e9))
		    os.utime(write(root, f"{case}/o.txt.gz", "zipped"), (9e8, 9e8))
		settle(root)
		for case, (name, change, status, content) in cases.items():
		    c = Handler("--timeout=20", "--persist=always", "--user=nobody", root=root)
		    target = f"/{case}/{name}".replace(" ", "%20")
		    for _ in range(2):
		        first = c.ask(target, gzip)
		    names = {"o.txt": [], "sub/": ["sub/index.html"],
		             "z.txt": ["z.txt", "z.txt.gz"]}.get(name, [name])
		    check_kept(c, root, case + ": kept", [f"{case}/{n}" for n in names])
		    change(case)
		    answer = c.ask(target, gzip)
		    check(case + ": status", answer.status, status)
		    if content is not None:
		        check(case + ": content", answer.content, content)
		        check(case + ": the tag is another",
		              answer.fields["etag"] != first.fields["etag"], True)
		        again = c.ask(target, gzip)
		        check(case + ": content again", again.content, content)
		    c.close()
	EOP
}

@test "a change that leaves inode and date alike is seen, where there is no time of the change" {
	mount_new exfat "$BATS_TEST_TMPDIR/mount"
	talk <<-'EOP'
		from kept import *
		root = os.path.join(TMP, "mount")
		path = write(root, "f.png", "four")
		os.utime(path, (1e9, 1e9))
		check("no time of the change", os.stat(path).st_ctime, 1e9)
		# The directory itself has to be settled: in steps of two seconds.
		time.sleep(max(0, os.stat(root).st_ctime + 2.1 - time.time()))
		c = Handler("--timeout=20", root=root)
		for _ in range(2):
		    first = c.ask("/f.png")
		check_kept(c, root, "open", ["f.png"])
		write(root, "f.png", "twenty-four bytes of them")
		os.utime(path, (1e9, 1e9))
		second = c.ask("/f.png")
		check("content", second.content, b"twenty-four bytes of them")
		check("the same tag", first.fields["etag"] == second.fields["etag"], False)
	EOP
}

@test "for requests that arrive together the tree is looked at once" {
	talk <<-'EOP'
		from kept import *
		root = tree()
		write(root, "page.html", "a page")
		settle(root)
		def looks(together):
		    trace = os.path.join(TMP, f"trace.{together}")
		    c = Handler(root=root, before=("strace", "-f", "-qq", "-o", trace,
		        "-e", "trace=/stat"))
		    for _ in range(2):
		        c.ask("/page.html")
		    c.send(get("/page.html") * together)
		    for _ in range(together):
		        check("the content", c.answer().content, b"a page")
		    c.half_close()
		    c.check_ended(*["ok"] * (2 + together))
		    with open(trace) as file:
		        return len(file.readlines())
		one = looks(1)
		check("the tree is looked at", one > 0, True)
		check("looks at the tree", looks(30), one)
	EOP
}

@test "what changes while an answer before it is sent is seen, though the request had arrived" {
	talk <<-'EOP'
		from kept import *
		root = tree()
		page, big = write(root, "page.html", "a page"), write(root, "big.bin", "")
		os.truncate(big, 64 * MiB)
		settle(root)
		c = Handler("--timeout=20", root=root)
		for _ in range(2):
		    c.ask("/page.html")
		c.send(get("/page.html") + get("/big.bin") + get("/page.html"))
		check("the content", c.answer().content, b"a page")
		c.read_head()
		os.rename(write(root, "new", "another"), page)
		c.discard(64 * MiB)
		check("the content", c.answer().content, b"another")
		c.half_close()
		c.check_ended(*["ok"] * 5)
	EOP
}

@test "a date that is set is seen by the next request" {
	talk <<-'EOP'
		from kept import *
		root = tree()
		path = write(root, "f.png", "a file")
		settle(root)
		c = Handler("--timeout=20", root=root)
		for _ in range(2):
		    first = c.ask("/f.png")
		os.utime(path, (1e9, 1e9))
		second = c.ask("/f.png")
		check("the date", second.fields["last-modified"], "Sun, 09 Sep 2001 01:46:40 GMT")
		check("the same tag", first.fields["etag"] == second.fields["etag"], False)
	EOP
}

@test "where the name of the root has another meaning, the next response is the last, of the old root" {
	let_others_in
	talk <<-'EOP'
		from kept import *
		for change in ("switched", "removed", "moved", "forbidden", "the same"):
		    top = tree()
		    for release in "12":
		        write(top, f"{release}/f.png", f"release {release}")
		    os.symlink("1", top + "/current")
		    settle(top)
		    c = Handler("--timeout=20", "--user=nobody", root=top + "/current")
		    for _ in range(3):
		        answer = c.ask("/f.png")
		        check("Connection", answer.fields["connection"], "keep-alive")
		    if change == "switched":
		        os.symlink("2", top + "/n")
		        os.rename(top + "/n", top + "/current")
		    elif change == "removed":
		        os.remove(top + "/current")
		    elif change == "moved":
		        os.rename(top + "/1", top + "/old")
		    elif change == "forbidden":
		        os.chmod(top, 0)
		    # It is looked at once a second.
		    second = int(time.time())
		    while int(time.time()) == second:
		        time.sleep(0.02)
		    answer = c.ask("/f.png")
		    check(change + ": content", answer.content, b"release 1")
		    last = change != "the same"
		    check(change + ": Connection", answer.fields["connection"],
		          "close" if last else "keep-alive")
		    if not last:
		        c.half_close()
		    c.check_ended(*["ok"] * 4)
	EOP
}

@test "a root below a directory that root itself may not search persists" {
	talk <<-'EOP'
		from kept import *
		top = tree()
		write(top, "private/root/f.png", "a file")
		os.chmod(os.path.join(top, "private"), 0o700)
		os.chown(os.path.join(top, "private"), 12345, 12345)
		c = Handler("--timeout=20", root=top + "/private/root")
		for _ in range(3):
		    check("Connection", c.ask("/f.png").fields["connection"], "keep-alive")
		    second = int(time.time())
		    while int(time.time()) == second:
		        time.sleep(0.02)
		c.half_close()
		c.check_ended(*["ok"] * 3)
	EOP
}

@test "the name of the root is looked at once a second, and never for the first request" {
	talk <<-'EOP'
		from kept import *
		root = tree()
		write(root, "f.png", "a file")
		trace = os.path.join(TMP, "trace")
		c = Handler("--timeout=20", root=root, before=("strace", "-f", "-qq", "-o",
		    trace, "-e", "trace=/fstatat|statx|openat2$"))
		def looks():
		    with open(trace) as file:
		        return sum('AT_FDCWD, "' + root in line for line in file)
		c.ask("/f.png")
		check("looks for the first request", looks(), 0)
		begun, asked = int(time.time()), 1
		while int(time.time()) < begun + 3:
		    c.ask("/f.png")
		    asked += 1
		check_within("requests", asked, 50, 1000000)
		check_within("looks in three seconds", looks(), 2, 4)
		c.half_close()
		c.check_ended(*["ok"] * asked)
	EOP
}

@test "what a change elsewhere could alter is not kept" {
	talk <<-'EOP'
		from kept import *
		root = tree()
		write(root, "f.txt", "a file")
		write(root, "z.txt", "a file")
		os.symlink("f.txt", root + "/link.txt")
		os.symlink("f.txt", root + "/z.txt.gz")
		long = "/".join(letter * 200 for letter in "xyz")
		write(root, long, "a file")
		write(root, "sub/old.txt", "a file")
		settle(root)
		write(root, "sub/new.txt", "a file")
		c = Handler("--timeout=20", root=root)
		for name in ("link.txt", "z.txt", long, "sub/new.txt"):
		    for _ in range(3):
		        check(name, c.ask("/" + name).status, 200)
		    check_kept(c, root, "kept of " + name[:20], [])
		c.ask("/f.txt")
		check_kept(c, root, "kept", ["f.txt"])
	EOP
}

@test "a neighbour that begins as a link to nothing is seen when there is something" {
	talk <<-'EOP'
		from kept import *
		root = tree()
		os.utime(write(root, "f.txt", "plain"), (1e9, 1e9))
		write(root, "sub/other", "it is there already")
		os.symlink("sub/f.gz", os.path.join(root, "f.txt.gz"))
		settle(root)
		c = Handler("--timeout=20", root=root)
		for _ in range(3):
		    check("content", c.ask("/f.txt", "Accept-Encoding: gzip").content, b"plain")
		write(root, "sub/f.gz", "zipped")
		check("content", c.ask("/f.txt", "Accept-Encoding: gzip").content, b"zipped")
	EOP
}

@test "a link above that is switched while a file is being kept is seen" {
	talk <<-'EOP'
		from kept import *
		root = tree()
		for release in "12":
		    write(root, f"release-{release}/f.png", release)
		link = os.path.join(root, "link")
		os.symlink("release-1", link)
		os.symlink("release-2", link + ".new")
		settle(root)
		# Time between opening the file and looking at its directory.
		c = Handler("--timeout=20", root=root, before=(
		    "strace", "-D", "-qq", "-o", "/dev/null", "-e", "trace=/fstatat|statx",
		    "-e", "inject=/fstatat|statx:delay_enter=300000"))
		check("content", c.ask("/link/f.png").content, b"1")
		check_kept(c, root, "closed", [])
		c.send(get("/link/f.png"))
		check_kept(c, root, "open", ["release-1/f.png"])
		os.rename(link + ".new", link)
		check("content", c.answer().content, b"1")
		check("content", c.ask("/link/f.png").content, b"2")
	EOP
}

@test "of more files than are kept each is served, in each of its codings" {
	talk <<-'EOP'
		from kept import *
		root = tree()
		files = {}
		for n in range(40):
		    for suffix in ("", ".br", ".zst", ".gz"):
		        files[n, suffix] = f"file {n}{suffix}"
		        write(root, f"{n}.txt{suffix}", files[n, suffix])
		settle(root)
		codings = {"": "identity", ".br": "br", ".zst": "zstd", ".gz": "gzip"}
		# Where a spawner leaves few descriptors, what is kept gives way.
		for before in ([], ["prlimit", "--nofile=14"]):
		    c = Handler("--timeout=20", root=root, before=before)
		    for _ in range(3):
		        for (n, suffix), text in files.items():
		            answer = c.ask(f"/{n}.txt", "Accept-Encoding: " + codings[suffix])
		            check("status", answer.status, 200)
		            check("content", answer.content, text.encode())
		    check_within("files that are kept", len(kept(c, root)), 1, 64)
		    c.half_close()
		    c.wait()
		    check("exit", c.exit, 0)
		    check("tokens", set(c.tokens()), {"ok"})
	EOP
}

@test "where a spawner leaves few descriptors, what is kept gives way to rules and the page of a 404" {
	talk <<-'EOP'
		from kept import *
		root = tree()
		write(root, "404.html", "not here")
		for n in range(16):
		    write(root, f"{n}.png", f"file {n}")
		settle(root)
		# No file is looked for, but for one of them a rule is.
		for target in "/.hidden", "/a%2fb":
		    c = Handler("--timeout=20", "--persist=always", root=root,
		                before=("prlimit", "--nofile=14"))
		    c.ask("/0.png") # nothing is kept at first
		    for n in range(16):
		        check("content", c.ask(f"/{n}.png").content, f"file {n}".encode())
		        answer = c.ask(target)
		        check("status of " + target, answer.status, 404)
		        check("content of " + target, answer.content, b"not here")
		    c.half_close()
		    c.wait()
		    check("exit", c.exit, 0)
	EOP
}

@test "of ever other files few are kept, until they are asked for again" {
	talk <<-'EOP'
		from kept import *
		root = tree()
		for n in range(200):
		    write(root, f"{n}.png", f"file {n}")
		settle(root)
		trace = os.path.join(TMP, "trace")
		c = Handler("--timeout=20", root=root, before=(
		    "strace", "-f", "-qq", "-o", trace, "-e", "trace=/fstatat|statx|openat2|^write$"))
		def looks():
		    # A file is opened, looked at to be kept, and the line is logged.
		    count = opened = 0
		    with open(trace) as file:
		        for line in file:
		            if "write(2" in line:
		                opened = 0
		            elif "openat2(" in line:
		                opened = 1
		            elif ("AT_SYMLINK_NOFOLLOW" in line
		                  and "_redirects" not in line):
		                count += opened
		    return count
		def ask(n):
		    check("the content", c.ask(f"/{n}.png").content, f"file {n}".encode())
		ask(0) # nothing is kept at first
		for n in range(16):
		    ask(n)
		check("files that were kept", looks(), 16)
		for n in range(16, 176):
		    ask(n)
		check("files that were kept of 160 more", looks() - 16, 20)
		for n in range(180, 192):
		    for _ in range(30):
		        ask(n)
		before = looks()
		check_within("until it is asked for twelve again", before - 36, 12, 14)
		for _ in range(5):
		    for n in range(180, 192):
		        ask(n)
		check("files that were kept anew", looks() - before, 0)
	EOP
}
