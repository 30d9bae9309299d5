" SPDX-License-Identifier: LGPL-2.1-or-later
" Vim syntax of mom's policies (mom-policy(5)); put etc/vim into 'runtimepath', or copy
" what is in it to ~/.vim.

if exists("b:current_syntax")
  finish
endif

setlocal iskeyword=@,48-57,_,-
setlocal commentstring=#\ %s
setlocal lisp lispwords=def,defun,let,with,if,cond,sum,count,filter,sort-by,share-out,param
setlocal expandtab shiftwidth=4

syntax case match
syntax match momComment "#.*$" contains=momTodo,@Spell
syntax keyword momTodo TODO FIXME contained
syntax region momString start=+"+ skip=+\\.+ end=+"+
syntax region momString start=+'+ skip=+\\.+ end=+'+

syntax match momNumber "\<-\?\d\+\>"
syntax match momNumber "\<-\?0[xX]\x\+\>"
syntax match momNumber "\<-\?0[oO]\o\+\>"
syntax match momFloat "-\?\d*\.\d\+\([eE][-+]\?\d\+\)\?"
syntax match momFloat "-\?\d\+[eE][-+]\?\d\+"
syntax match momOperator "[([]\@1<=\(<<\|>>\|<=\|>=\|==\|!=\|[-+*/<>]\)\ze\s"

syntax keyword momDefine def defun defvar set setq let param
syntax keyword momControl if cond else and or not with because debug
syntax keyword momFunction add sub mul div lt gt lte gte eq neq shl shr
syntax keyword momFunction min max abs clamp null valid
syntax keyword momFunction sum count filter sort-by match share-out
syntax keyword momObject Host Guests
syntax keyword momConstant nil
syntax match momMethod "\.\(Prop\|Stat\|StatAvg\|SetVar\|GetVar\|Control\|GetControl\)\>"
syntax match momName "\(\<\(def\|defun\)\s\+\)\@<=[A-Za-z_][-A-Za-z0-9_]*"

highlight default link momComment Comment
highlight default link momTodo Todo
highlight default link momString String
highlight default link momNumber Number
highlight default link momFloat Float
highlight default link momOperator Operator
highlight default link momDefine Define
highlight default link momControl Conditional
highlight default link momFunction Function
highlight default link momObject Identifier
highlight default link momConstant Constant
highlight default link momMethod Special
highlight default link momName Function

let b:current_syntax = "mompolicy"
