// Tokens of SGL. No actions and no predicates: the C++ side adds two things only, both described in
// grammar/README.md: a popMode that tolerates an empty mode stack, and the filter that turns NEWLINE into NL.
lexer grammar SglLexer;

// Never matched here, the token filter makes them: NL where a line ends a statement or an item, INTERP_CLOSE of
// the RBRACE that closes an INTERP_OPEN (so that error recovery never takes it for the end of a block).
tokens { NL, INTERP_CLOSE }

channels { COMMENTS }

// ---- layout ---------------------------------------------------------------------------------------------

WS      : [ \t\f\uFEFF]+ -> channel(HIDDEN);
NEWLINE : ('\r'? '\n' | '\r') -> channel(HIDDEN);

// `////…` is an ordinary comment, so that rulers of slashes do not become documentation.
DOC_COMMENT   : '///' (~[/\r\n] ~[\r\n]*)? -> channel(COMMENTS);
LINE_COMMENT  : '//' ~[\r\n]* -> channel(COMMENTS);
BLOCK_COMMENT : '/*' (~'*' | '*'+ ~[*/])* '*'+ '/' -> channel(COMMENTS);
// Reaches to the end of the file; always shorter than BLOCK_COMMENT where that one matches.
BLOCK_COMMENT_UNTERMINATED : '/*' (~'*' | '*'+ ~[*/])* '*'*;

// ---- regexes --------------------------------------------------------------------------------------------
// A regex is recognised together with what makes it expected, so `/` is division everywhere else.
// The closing parenthesis of `regex(…)` is not part of the token.

REGEX_TYPE               : 'regex' GAP '(' GAP '/' REGEX_ITEM+ '/';
REGEX_TYPE_UNTERMINATED  : 'regex' GAP '(' GAP '/' REGEX_LOOSE+;
PATTERN_REGEX            : 'pattern' GAP ':' GAP '/' REGEX_ITEM+ '/';
PATTERN_REGEX_UNTERMINATED : 'pattern' GAP ':' GAP '/' REGEX_LOOSE+;

fragment GAP         : [ \t\r\n]*;
fragment REGEX_ITEM  : '\\' ~[\r\n] | REGEX_CLASS | ~[/\\[\r\n];
fragment REGEX_CLASS : '[' ('\\' ~[\r\n] | ~[\]\\\r\n])* ']';
fragment REGEX_LOOSE : '\\' ~[\r\n] | ~[/\\\r\n];

// ---- keywords -------------------------------------------------------------------------------------------

KW_AND       : 'and';
KW_AS        : 'as';
KW_ASSERT    : 'assert';
KW_ASSISTANT : 'assistant';
KW_BRANCH    : 'branch';
KW_BREAK     : 'break';
KW_BY        : 'by';
KW_CATCH     : 'catch';
KW_CONST     : 'const';
KW_CONTINUE  : 'continue';
KW_ELSE      : 'else';
KW_FAIL      : 'fail';
KW_FALSE     : 'false';
KW_FN        : 'fn';
KW_FOR       : 'for';
KW_FROM      : 'from';
KW_GEN       : 'gen';
KW_GRAMMAR   : 'grammar';
KW_IF        : 'if';
KW_IMPORT    : 'import';
KW_IN        : 'in';
KW_LET       : 'let';
KW_LIMITS    : 'limits';
KW_NOT       : 'not';
KW_NULL      : 'null';
KW_OR        : 'or';
KW_PARALLEL  : 'parallel';
KW_PROGRAM   : 'program';
KW_PROMPT    : 'prompt';
KW_RETRY     : 'retry';
KW_RETURN    : 'return';
KW_SELECT    : 'select';
KW_SYSTEM    : 'system';
KW_TO        : 'to';
KW_TOOL      : 'tool';
KW_TRUE      : 'true';
KW_TRY       : 'try';
KW_TYPE      : 'type';
KW_UP        : 'up';
KW_USER      : 'user';
KW_VAR       : 'var';
KW_WHILE     : 'while';
KW_WITH      : 'with';
KW_YIELD     : 'yield';

// ---- literals -------------------------------------------------------------------------------------------

// `0..100` is INT_LIT DOTDOT INT_LIT: a float needs a digit on both sides of its point.
HEX_LIT      : '0' [xX] HEX_DIGIT (HEX_DIGIT | '_')*;
DURATION_LIT : DIGITS ('.' DIGITS)? ('ms' | 's' | 'm' | 'h');
FLOAT_LIT    : DIGITS '.' DIGITS EXPONENT? | DIGITS EXPONENT;
INT_LIT      : DIGITS;
// `12abc`, `0xg`: one token, so that it is one diagnostic. Also occurs in format specs (`.2f`).
BAD_NUMBER   : [0-9] [0-9a-zA-Z_]*;

fragment DIGITS    : [0-9] [0-9_]*;
fragment EXPONENT  : [eE] [+-]? [0-9]+;
fragment HEX_DIGIT : [0-9a-fA-F];

RAW_TSTRING      : 'r"""' .*? '"""';
RAW_STRING       : 'r"' ~["\r\n]* '"';
RAW_UNTERMINATED : 'r"' ~["\r\n]*;

TSTRING_OPEN : '"""' -> pushMode(TSTR);
STRING_OPEN  : '"' -> pushMode(STR);

// Not part of the language; a token of its own so that the diagnostic can say "use double quotes".
BAD_QUOTED : '\'' ~['\r\n]* '\'';

IDENT : [a-zA-Z_] [a-zA-Z0-9_]*;

// ---- punctuation ----------------------------------------------------------------------------------------

// Braces nest the default mode, so that `}` finds its way back into an interpolated string.
LBRACE : '{' -> pushMode(DEFAULT_MODE);
RBRACE : '}' -> popMode;
LPAREN : '(';
RPAREN : ')';
LBRACK : '[';
RBRACK : ']';

SEMI     : ';';
COMMA    : ',';
COLON    : ':';
ELLIPSIS : '...';
DOTDOT   : '..';
DOT      : '.';
ARROW    : '->';
QQ       : '??';
QUESTION : '?';
PIPE     : '|';

PLUS_ASSIGN    : '+=';
MINUS_ASSIGN   : '-=';
STAR_ASSIGN    : '*=';
SLASH_ASSIGN   : '/=';
PERCENT_ASSIGN : '%=';

EQ : '==';
NE : '!=';
LE : '<=';
GE : '>=';
LT : '<';
GT : '>';

ASSIGN  : '=';
PLUS    : '+';
MINUS   : '-';
STAR    : '*';
SLASH   : '/';
PERCENT : '%';

// Habits from other languages; the parser accepts them nowhere, the diagnostic names the SGL word.
AMPAMP   : '&&';
PIPEPIPE : '||';
BANG     : '!';
FATARROW : '=>';

// Everything else, so that the lexer itself never fails. A run of non-ASCII characters is one token.
UNKNOWN : [\u0080-\u{10FFFF}]+ | .;

// ---- inside "…" -----------------------------------------------------------------------------------------

mode STR;

STR_CLOSE   : '"' -> popMode;
STR_ESC     : ESCAPE;
STR_BAD_ESC : '\\' ~[\r\n]?;
INTERP_OPEN : '{' -> pushMode(DEFAULT_MODE);
STR_TEXT    : ~["\\{\r\n]+;
// The line ends inside the string: the string ends with it, and only this line is damaged.
STR_UNTERMINATED : ('\r'? '\n' | '\r') -> popMode;

fragment ESCAPE : '\\' ([nrt\\"{}0] | 'x' HEX_DIGIT HEX_DIGIT | 'u{' HEX_DIGIT+ '}');

// ---- inside """…""" -------------------------------------------------------------------------------------

mode TSTR;

TSTR_CLOSE   : '"""' -> popMode;
TSTR_ESC     : ESCAPE -> type(STR_ESC);
TSTR_BAD_ESC : '\\' ~[\r\n]? -> type(STR_BAD_ESC);
TSTR_INTERP  : '{' -> type(INTERP_OPEN), pushMode(DEFAULT_MODE);
TSTR_TEXT    : ~["\\{]+ -> type(STR_TEXT);
TSTR_QUOTE   : '"' -> type(STR_TEXT);
