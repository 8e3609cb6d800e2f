# label: hostile
# expect: V201 V502 V503
# note: Escapes inside of string literals: what a reader of lines sees are backslashes, what Python sees is os.system.
# obfuscated: yes
# allow: V501 V504
getattr(__import__("\x6f\x73"), "\u0073\u0079\u0073\u0074\u0065\u006d")("\151\144")
exec("\160\162\151\156\164\050\061\051")
