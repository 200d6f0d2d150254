// Blocks where a program blocks: reads names from standard input, greets, keeps them in a file.
const std = @import("std");

pub fn main() !u8 {
    const out = std.io.getStdOut().writer();
    const in = std.io.getStdIn().reader();
    var arguments = try std.process.argsWithAllocator(std.heap.page_allocator);
    _ = arguments.next();
    try out.print("arguments:", .{});
    while (arguments.next()) |argument| try out.print(" {s}", .{argument});
    try out.print("\n", .{});

    // The current directory is the first one that is mounted.
    const file = try std.fs.cwd().createFile("names.txt", .{});
    defer file.close();
    var count: u32 = 0;
    var buffer: [100]u8 = undefined;
    while (true) : (count += 1) {
        try out.print("Name? ", .{});
        const name = try in.readUntilDelimiterOrEof(&buffer, '\n') orelse break;
        try out.print("Hello, {s}!\n", .{name});
        try file.writer().print("{s}\n", .{name});
    }
    try out.print("\n{d} names in /data/names.txt\n", .{count});
    return if (count == 2) 42 else 1;
}
