// Syntax of SGL. No actions and no predicates. The AST builder in compiler/parse reads these contexts, so
// every alternative of a choice is labelled and every element that is not obvious from its type has a name.
//
// NL tokens come from the token filter (grammar/README.md). It never yields two NL in a row, none after an
// opener or a binary operator, and none before a closer, a comma or anything else that continues.
parser grammar SglParser;

options { tokenVocab = SglLexer; }

file : sep* topDecl* EOF;

// A rule of its own so that an error in a declaration is recovered before the next one.
topDecl : declaration (sep+ | EOF);

// Between declarations and between statements.
sep : NL | SEMI;

// Between items, fields and arguments; optional after the last one.
itemSep : COMMA | NL;

// ---- names ----------------------------------------------------------------------------------------------

// A name that is declared or referred to. Words that matter only inside one construct are still free.
ident : IDENT | KW_AS | KW_BY | KW_FROM | KW_TO | KW_UP;

// A field, a member, an argument or an option: what surrounds it makes it a name, so any word will do.
anyName
  : ident
  | KW_AND | KW_ASSERT | KW_ASSISTANT | KW_BRANCH | KW_BREAK | KW_CATCH | KW_CONST | KW_CONTINUE | KW_ELSE
  | KW_FAIL | KW_FALSE | KW_FN | KW_FOR | KW_GEN | KW_GRAMMAR | KW_IF | KW_IMPORT | KW_IN | KW_LET
  | KW_LIMITS | KW_NOT | KW_NULL | KW_OR | KW_PARALLEL | KW_PROGRAM | KW_PROMPT | KW_RETRY | KW_RETURN
  | KW_SELECT | KW_SYSTEM | KW_TOOL | KW_TRUE | KW_TRY | KW_TYPE | KW_USER | KW_VAR | KW_WHILE | KW_WITH
  | KW_YIELD
  ;

qualifiedName : ident (DOT anyName)*;

// ---- declarations ---------------------------------------------------------------------------------------

declaration
  : KW_IMPORT (module=qualifiedName | path=stringLit) (KW_AS alias=ident)?          # ImportDecl
  | KW_TYPE id=ident ASSIGN value=typeExpr                                          # TypeDecl
  | KW_GRAMMAR id=ident ASSIGN text=stringLit                                       # GrammarDecl
  | KW_CONST id=ident (COLON annotation=typeExpr)? ASSIGN value=expr                # ConstDecl
  | KW_FN id=ident params returnType? (ASSIGN value=expr | NL? body=block)          # FnDecl
  | KW_PROMPT id=ident params returnType? NL? body=block                            # PromptDecl
  | KW_PROGRAM id=ident params returnType? (NL? limits=limitsBlock)? NL? body=block # ProgramDecl
  | KW_TOOL id=ident params returnType?                                             # ToolDecl
  ;

params : LPAREN (param (itemSep param)* itemSep?)? RPAREN;

param : id=ident COLON annotation=typeExpr (ASSIGN init=expr)?;

returnType : ARROW typeExpr;

limitsBlock : KW_LIMITS LBRACE (limitItem (itemSep limitItem)* itemSep?)? RBRACE;

limitItem : key=anyName COLON value=expr;

// ---- types ----------------------------------------------------------------------------------------------

typeExpr : PIPE? optionalType (PIPE optionalType)*;

optionalType : base=primaryType mark=QUESTION?;

primaryType
  : id=qualifiedName typeArgs? refinements?                                         # NamedType
  | stringLit                                                                       # StringLiteralType
  | minus=MINUS? number                                                             # NumberLiteralType
  | value=(KW_TRUE | KW_FALSE)                                                      # BoolLiteralType
  | KW_NULL                                                                         # NullType
  | LBRACE (fieldDecl (itemSep fieldDecl)* itemSep?)? RBRACE                        # RecordType
  | REGEX_TYPE (itemSep refinement)* itemSep? RPAREN                                # RegexType
  | REGEX_TYPE_UNTERMINATED                                                         # BadRegexType
  | LPAREN typeExpr RPAREN                                                          # ParenType
  ;

typeArgs : LT typeExpr (COMMA typeExpr)* GT;

fieldDecl : key=fieldKey mark=QUESTION? COLON annotation=typeExpr (ASSIGN init=expr)?;

fieldKey
  : anyName                                                                         # NameKey
  | STRING_OPEN (STR_TEXT | STR_ESC)* STR_CLOSE                                     # StringKey
  ;

refinements : LPAREN (refinement (itemSep refinement)* itemSep?)? RPAREN;

refinement
  : key=anyName COLON value=bounds                                                  # NamedRefinement
  | PATTERN_REGEX                                                                   # PatternRefinement
  | PATTERN_REGEX_UNTERMINATED                                                      # BadPatternRefinement
  | value=bounds                                                                    # PlainRefinement
  ;

// `5`, `1..3`, `1..`, `..5`: `range` is there when the refinement is a range.
bounds
  : lo=opExpr (range=DOTDOT hi=opExpr?)?                                            # LowerBounds
  | range=DOTDOT hi=opExpr                                                          # UpperBounds
  ;

// ---- statements -----------------------------------------------------------------------------------------

block : LBRACE blockLine (sep blockLine)* RBRACE;

// Often empty. A rule of its own so that an error at the start of a statement damages that line only.
blockLine : statement?;

statement
  : KW_LET id=ident (COLON annotation=typeExpr)? ASSIGN value=expr                  # LetStmt
  | KW_VAR id=ident (COLON annotation=typeExpr)? ASSIGN value=expr                  # VarStmt
  | KW_IF cond=expr then=block (KW_ELSE (elseIf=ifTail | otherwise=block))?         # IfStmt
  | KW_WHILE cond=expr body=block                                                   # WhileStmt
  | KW_FOR loopVars KW_IN source=expr body=block                                    # ForStmt
  | KW_RETURN value=expr?                                                           # ReturnStmt
  | KW_YIELD value=expr?                                                            # YieldStmt
  | KW_BREAK                                                                        # BreakStmt
  | KW_CONTINUE                                                                     # ContinueStmt
  | KW_FAIL message=expr?                                                           # FailStmt
  | KW_ASSERT cond=expr (COMMA message=expr)?                                       # AssertStmt
  | KW_TRY body=block KW_CATCH id=ident? handler=block                              # TryStmt
  | KW_WITH optionList body=block                                                   # WithStmt
  | KW_IN context=expr body=block                                                   # InStmt
  | role=(KW_SYSTEM | KW_USER | KW_ASSISTANT) (body=block | text=expr)              # RoleStmt
  | KW_GEN id=ident (COLON annotation=typeExpr)? withOptions?                       # GenStmt
  | KW_SELECT id=ident selectTail                                                   # SelectStmt
  | limitsBlock                                                                     # LimitsStmt
  | target=expr (op=assignOp value=expr)?                                           # ExprOrAssignStmt
  ;

// `else if …`: the same shape as IfStmt, without being a statement of its own.
ifTail : KW_IF cond=expr then=block (KW_ELSE (elseIf=ifTail | otherwise=block))?;

assignOp : ASSIGN | PLUS_ASSIGN | MINUS_ASSIGN | STAR_ASSIGN | SLASH_ASSIGN | PERCENT_ASSIGN;

// `x`, or `i, x` with the index first.
loopVars : first=ident (COMMA second=ident)?;

withOptions : KW_WITH optionList;

optionList : option (COMMA option)*;

option : key=anyName ASSIGN value=expr;

selectTail : KW_FROM choices=expr (KW_BY method=ident)? withOptions?;

// ---- expressions ----------------------------------------------------------------------------------------

// What reaches to the end of its place and is not an operand without parentheses.
expr
  : value=opExpr (KW_IF cond=opExpr KW_ELSE otherwise=expr)?                        # CondOrPlainExpr
  | KW_GEN (COLON annotation=typeExpr)? withOptions?                                # GenExpr
  | KW_SELECT selectTail                                                            # SelectExpr
  | KW_PARALLEL KW_FOR loopVars KW_IN source=expr (KW_UP KW_TO bound=expr)? body=block # ParallelExpr
  | KW_BRANCH LBRACE (branchArm (branchSep branchArm)* branchSep?)? RBRACE          # BranchExpr
  | KW_RETRY count=opExpr body=block                                                # RetryExpr
  ;

branchArm : key=anyName COLON body=block;

branchSep : COMMA | NL | SEMI;

// Operators, tightest first; binary ones are left-associative.
opExpr
  : primary                                                                         # PrimaryExpr
  | object=opExpr DOT member=anyName                                                # MemberExpr
  | callee=opExpr arguments                                                         # CallExpr
  | object=opExpr LBRACK subscript RBRACK                                           # IndexExpr
  | op=MINUS operand=opExpr                                                         # NegateExpr
  | left=opExpr op=(STAR | SLASH | PERCENT) right=opExpr                            # MultiplyExpr
  | left=opExpr op=(PLUS | MINUS) right=opExpr                                      # AddExpr
  | left=opExpr op=QQ right=opExpr                                                  # CoalesceExpr
  | left=opExpr op=compareOp right=opExpr                                           # CompareExpr
  | op=KW_NOT operand=opExpr                                                        # NotExpr
  | left=opExpr op=KW_AND right=opExpr                                              # AndExpr
  | left=opExpr op=KW_OR right=opExpr                                               # OrExpr
  ;

compareOp : EQ | NE | LT | LE | GT | GE | KW_IN | KW_NOT KW_IN;

arguments : LPAREN (argument (itemSep argument)* itemSep?)? RPAREN;

argument
  : key=anyName COLON value=expr                                                    # NamedArgument
  | value=expr                                                                      # PlainArgument
  ;

// `i`, `i:j`, `i:`, `:j`, `:`; `colon` is there when it is a slice.
subscript
  : lo=expr (colon=COLON hi=expr?)?                                                 # LowerSubscript
  | colon=COLON hi=expr?                                                            # UpperSubscript
  ;

primary
  : id=ident                                                                        # NameExpr
  | stringLit                                                                       # StringExpr
  | number                                                                          # NumberExpr
  | DURATION_LIT                                                                    # DurationExpr
  | value=(KW_TRUE | KW_FALSE)                                                      # BoolExpr
  | KW_NULL                                                                         # NullExpr
  | LPAREN inner=expr RPAREN                                                        # ParenExpr
  | LBRACK listBody? RBRACK                                                         # ListExpr
  | LBRACE (fieldInit (itemSep fieldInit)* itemSep?)? RBRACE                        # RecordExpr
  ;

// `[a, b]`, or `[e for x in xs if c]` when `comprehension` is there.
listBody : expr (comprehension | (itemSep expr)* itemSep?);

comprehension : KW_FOR loopVars KW_IN source=opExpr (KW_IF cond=opExpr)?;

fieldInit
  : ELLIPSIS value=expr                                                             # SpreadInit
  | key=fieldKey COLON value=expr                                                   # KeyedInit
  ;

number
  : INT_LIT                                                                         # IntNumber
  | HEX_LIT                                                                         # HexNumber
  | FLOAT_LIT                                                                       # FloatNumber
  | BAD_NUMBER                                                                      # BadNumber
  ;

// ---- strings --------------------------------------------------------------------------------------------

stringLit
  : STRING_OPEN stringPart* (STR_CLOSE | STR_UNTERMINATED)                          # PlainString
  | TSTRING_OPEN stringPart* TSTR_CLOSE                                             # TripleString
  | RAW_STRING                                                                      # RawString
  | RAW_TSTRING                                                                     # RawTripleString
  | RAW_UNTERMINATED                                                                # BadRawString
  | BAD_QUOTED                                                                      # BadQuotedString
  ;

stringPart
  : STR_TEXT                                                                        # TextPart
  | STR_ESC                                                                         # EscapePart
  | STR_BAD_ESC                                                                     # BadEscapePart
  | INTERP_OPEN expr formatSpec? (INTERP_CLOSE | RBRACE)                            # InterpolationPart
  ;

// Any tokens: the builder reads the source text between the colon and the brace.
formatSpec : COLON spec+=~(LBRACE | RBRACE | INTERP_CLOSE | NL | SEMI | STRING_OPEN | TSTRING_OPEN)+;
