// Blocks where a program blocks: reads names from standard input, greets, keeps them in a file.
import { CommandLine, Descriptor, FileSystem, Process } from "as-wasi/assembly";

const out = Descriptor.Stdout;
out.writeStringLn("arguments: " + CommandLine.all.slice(1).join(" "));

const file = FileSystem.open("names.txt", "w+"); // in the first directory that is mounted
if (file == null) Process.exit(1);
let count = 0;
while (true) {
  out.writeString("Name? ");
  const name = Descriptor.Stdin.readLine();
  if (name == null || name.length == 0) break;
  out.writeStringLn("Hello, " + name + "!");
  file!.writeStringLn(name);
  ++count;
}
out.writeStringLn("\n" + count.toString() + " names in /data/names.txt");
Process.exit(count == 2 ? 42 : 1);
