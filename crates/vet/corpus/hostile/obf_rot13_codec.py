# label: hostile
# expect: V501 V504
# note: Rot13 through codecs; the word exec is the only honest one.
# obfuscated: yes
# allow: V201
import codecs

note = "vzcbeg fhocebprff; fhocebprff.Cbcra(['fu', '-p', 'vq'])"
exec(codecs.decode(note, "rot_13"))
