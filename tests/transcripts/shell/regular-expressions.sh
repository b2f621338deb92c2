printf 'abc\naab\n*a\na+b\n\n(x)\n{1}\na)\nfoo bar foo\nabcabc\nÉtat é\n' > f
grep -n '\(.\)\1' f
grep -nE '(abc)\1' f
grep -nE '*a' f
grep -nE '+b' f
grep -nE 'a|*b' f
grep -nE '(*x)' f
grep -nE 'a{1' f
grep -nE '{1}' f
grep -nE '()' f
grep -nE 'a||b' f
grep -nE 'a)' f
grep -nE '(a' f
grep -n 'a\{1' f
grep -n 'a\{2,1\}' f
grep -n '\{1\}' f
grep -n 'a\tb' f
grep -n '\d' f
grep -n '[:alpha:]' f
grep -n '[[:foo:]]' f
grep -n '[b-a]' f
grep -n '[[.x.]]' f
grep -n '[[.foo.]]' f
grep -n '[a' f
grep -n 'a\' f
grep -n '\(a' f
grep -n 'a\)' f
grep -no 'fo*' f
grep -now 'fo\{1,\}' f
grep -no '\bb' f
grep -ni 'é' f
grep -n 'É' f
grep -oE '[[:upper:]][a-z]+' f
grep -P '(?<=a)b' f
grep -P 'a(?!b)' f
grep -oP '\w+(?= bar)' f
grep -P '(a' f
grep -P 'a)' f
grep -P '[a' f
grep -P '*a' f
grep -P '\1' f
grep -P '(?<n' f
grep -P '[b-a]' f
grep -P 'a{2,1}' f
grep -P '\y' f
grep -P 'a\' f
grep -F '*a' f
grep -xE 'a|aab' f
grep -wE 'foo|bar' f | head -1
grep -c '^$' f
grep -vc '^$' f
grep -e 'a\{3\}' -e '(x)' f
grep '\w\+\W\w\+' f
grep '^*a' f
grep 'a\?b' f
grep '\(^a\)' f
grep 'a^b' f
grep -E 'a^b' f
grep -E 'x$|c$' f
grep '\`a' f
grep "b\\'" f
grep -E 'a{,2}b' f
grep -E 'a{99999}' f
grep -E '\<b' f
grep '\2' f
sed -E 's/(a)(b)?/[\1\2]/g' f
sed 's/a*/x/g' f
sed 's/b*/x/2' f
sed -E 's/*a/x/' f
sed -E 's/a{1/x/' f
sed -E 's/a)/x/' f
sed 's/\(a/x/' f
sed 's/[a/x/' f
sed 's/\(a\)\(b\)/\2\1/' f
sed 's/\(a\)/\2/' f
sed -n '/\(abc\)\1/p' f
sed 'N;s/a\nb/X/' f
sed 's/a\|b/<&>/g' f
sed 's/x\+/y/' f
sed -E 's/(^|[^a])b/\1B/g' f
sed 's/\n/x/;s/\t/y/' f
sed ':a;N;$!ba;s/\n/,/g' f
sed ':a;N;$!ba;s/^a/X/mg' f
sed 's/.*/"&"/' f
sed 's/\bfoo\b/F/2' f
sed 's/[^[:alnum:] ]//g' f
sed 's/É/E/;s/é/e/g' f
sed -E 's/(.)(.)/\2\1/g' f
sed 's/\x61/Z/' f
sed 's,/,_,g;s|a|b|' f
sed -E 's/a|ab|abc/<&>/' f
sed 's/\(foo\).*\1/<&>/' f
[[ abc =~ b(c) ]]; echo $? ${BASH_REMATCH[@]}
[[ abc =~ (a|ab)(c|bcd)? ]]; echo ${#BASH_REMATCH[@]} "${BASH_REMATCH[*]}"
r='('; [[ a =~ $r ]]; echo $?
r='a)'; [[ 'a)' =~ $r ]]; echo $?
r='*a'; [[ a =~ $r ]]; echo $?
r='^[0-9]+$'; [[ 123 =~ $r ]] && echo num
[[ "a b" =~ a\ b ]]; echo $?
[[ a.b =~ a"."b ]]; echo $?
[[ axb =~ a"."b ]]; echo $?
expr abc : 'a\(.\)c'
expr abc : 'b'
expr abc : '.*'
expr abc : '\(x\)'; echo $?
