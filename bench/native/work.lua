-- A few seconds of what scripts do: calls, tables, strings, closures, floats.
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
local sum = fib(30)

local primes, limit = {}, 2000000
local sieve = {}
for i = 2, limit do
  if not sieve[i] then
    primes[#primes + 1] = i
    for j = i * i, limit, i do sieve[j] = true end
  end
end

local words, count = {}, {}
for i = 1, 200000 do words[i] = string.format("w%05d", (i * 7919) % 10007) end
for _, w in ipairs(words) do count[w] = (count[w] or 0) + 1 end
local keys = {}
for k in pairs(count) do keys[#keys + 1] = k end
table.sort(keys, function(a, b)
  if count[a] ~= count[b] then return count[a] > count[b] end
  return a < b
end)

local text = table.concat(words, " ", 1, 50000)
local found = 0
for w in text:gmatch("w0(%d+)") do found = found + tonumber(w) end
text = text:gsub("w(%d)", "<%1>"):upper()

local x, y = 0.0, 0.0
for i = 1, 5000000 do
  x = x * 0.999 + i % 7
  y = y + math.sin(x) * 0.5
end
print(sum, #primes, keys[1], found, #text, string.format("%.6f", y))
