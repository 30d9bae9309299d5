' SPDX-License-Identifier: LGPL-2.1-or-later
'
' Re-enable a network connection whose gateway has stopped answering, and write it to the
' event log. One run looks once; a task runs it each minute (netwatch.cmd).
'
'   netwatch.vbs         look, and act
'   netwatch.vbs check   say what is seen, and change nothing
'
' Settings: netwatch.ini beside this file. Exit codes: 0 the gateway answers, or it did
' after the connection was re-enabled; 1 it doesn't; 2 the settings are wrong.
Option Explicit

Const EVENT_ERROR = 1
Const EVENT_WARNING = 2
Const NETWORK_CONNECTIONS = &H31
Const STATUS_CONNECTED = 2
Const LAST = "HKLM\SOFTWARE\mom\netwatch\last"
Const LAST_FAULT = "HKLM\SOFTWARE\mom\netwatch\fault"

Dim shell, files, wmi, settings, gateway, checking
Set shell = CreateObject("WScript.Shell")
Set files = CreateObject("Scripting.FileSystemObject")
Set wmi = GetObject("winmgmts:{impersonationLevel=impersonate}!\\.\root\cimv2")
checking = False
If WScript.Arguments.Count > 0 Then checking = LCase(WScript.Arguments(0)) = "check"

WScript.Quit Main()

Function Main()
	Dim adapter
	Set settings = ReadSettings()
	Set adapter = FindAdapter(settings("interface"))
	If adapter Is Nothing Then
		Main = Misconfigured("there is no network connection """ & _
			settings("interface") & """")
		Exit Function
	End If
	gateway = settings("gateway")
	If gateway = "" Then gateway = GatewayOf(adapter)
	If gateway = "" Then
		Main = Misconfigured("""" & settings("interface") & """ has no default " & _
			"gateway; name one in netwatch.ini")
		Exit Function
	End If
	Main = Watch(adapter)
End Function

Function Watch(adapter)
	Watch = 0
	If Answers(Count("tries")) Then
		Remember gateway
		Forget LAST_FAULT
		Tell "the gateway " & gateway & " answers by """ & settings("interface") & """"
		Exit Function
	End If
	Watch = 1
	Tell "the gateway " & gateway & " doesn't answer by """ & _
		settings("interface") & """"
	If checking Or Resting() Then Exit Function
	shell.RegWrite LAST, Stamp(), "REG_SZ"
	Watch = Act(adapter)
End Function

Function Act(adapter)
	Dim way
	way = Restart(adapter)
	If way = "" Then
		shell.LogEvent EVENT_ERROR, "mom netwatch: the gateway " & gateway & _
			" doesn't answer, and """ & settings("interface") & """ could not be " & _
			"re-enabled; on Windows XP and 2003 put devcon.exe where " & _
			"netwatch.ini says"
		Act = 1
	ElseIf Answers(Count("tries")) Then
		shell.LogEvent EVENT_WARNING, "mom netwatch: the gateway " & gateway & _
			" didn't answer; """ & settings("interface") & """ was re-enabled (by " & _
			way & "), and now it does"
		Act = 0
	Else
		shell.LogEvent EVENT_ERROR, "mom netwatch: the gateway " & gateway & _
			" didn't answer; """ & settings("interface") & """ was re-enabled (by " & _
			way & "), and it still doesn't"
		Act = 1
	End If
End Function

' ---- settings --------------------------------------------------------------------------

Function ReadSettings()
	Dim all, file, line, at, path
	Set all = CreateObject("Scripting.Dictionary")
	all("interface") = "Local Area Connection"
	all("gateway") = ""
	all("tries") = "5"
	all("pause") = "10"
	all("devcon") = ""
	all("disable") = "Disable"
	all("enable") = "Enable"
	path = files.BuildPath(files.GetParentFolderName(WScript.ScriptFullName), _
		"netwatch.ini")
	If files.FileExists(path) Then
		Set file = files.OpenTextFile(path)
		Do Until file.AtEndOfStream
			line = Trim(file.ReadLine)
			at = InStr(line, "=")
			If at > 1 And Left(line, 1) <> ";" Then
				all(LCase(Trim(Left(line, at - 1)))) = Trim(Mid(line, at + 1))
			End If
		Loop
		file.Close
	End If
	Set ReadSettings = all
End Function

' A whole number of at least 1.
Function Count(name)
	Count = 1
	If Not IsNumeric(settings(name)) Then Exit Function
	If CDbl(settings(name)) >= 1 And CDbl(settings(name)) <= 1440 Then
		Count = CLng(settings(name))
	End If
End Function

' Said once, not each minute.
Function Misconfigured(what)
	Misconfigured = 2
	Tell what
	If checking Or Recall(LAST_FAULT) = what Then Exit Function
	shell.RegWrite LAST_FAULT, what, "REG_SZ"
	shell.LogEvent EVENT_ERROR, "mom netwatch: " & what
End Function

' ---- the connection --------------------------------------------------------------------

Function FindAdapter(name)
	Dim adapter
	Set FindAdapter = Nothing
	For Each adapter In wmi.InstancesOf("Win32_NetworkAdapter")
		If Not IsNull(adapter.NetConnectionID) Then
			If LCase(adapter.NetConnectionID) = LCase(name) Then
				Set FindAdapter = adapter
				Exit Function
			End If
		End If
	Next
End Function

' While a connection is down Windows may not tell its gateway, so the last one that
' answered counts.
Function GatewayOf(adapter)
	Dim configuration
	GatewayOf = ""
	For Each configuration In wmi.ExecQuery("SELECT * FROM " & _
		"Win32_NetworkAdapterConfiguration WHERE Index = " & adapter.Index)
		If IsArray(configuration.DefaultIPGateway) Then
			GatewayOf = configuration.DefaultIPGateway(0)
		End If
	Next
	If GatewayOf = "" Then GatewayOf = Recall("HKLM\SOFTWARE\mom\netwatch\gateway")
End Function

Sub Remember(address)
	If checking Or Recall("HKLM\SOFTWARE\mom\netwatch\gateway") = address Then Exit Sub
	shell.RegWrite "HKLM\SOFTWARE\mom\netwatch\gateway", address, "REG_SZ"
End Sub

Function Status()
	Dim adapter
	Status = -1
	Set adapter = FindAdapter(settings("interface"))
	If adapter Is Nothing Then Exit Function
	If Not IsNull(adapter.NetConnectionStatus) Then
		Status = CLng(adapter.NetConnectionStatus)
	End If
End Function

' What isn't connected has one of many other states.
Function Becomes(connected, seconds)
	Dim i
	Becomes = True
	For i = 1 To seconds
		If (Status() = STATUS_CONNECTED) = connected Then Exit Function
		WScript.Sleep 1000
	Next
	Becomes = (Status() = STATUS_CONNECTED) = connected
End Function

Function Answers(tries)
	Dim i, ping
	Answers = True
	For i = 1 To tries
		If i > 1 Then WScript.Sleep 1000
		For Each ping In wmi.ExecQuery("SELECT * FROM Win32_PingStatus WHERE " & _
			"Address = '" & Replace(gateway, "'", "") & "' AND Timeout = 1000")
			If Not IsNull(ping.StatusCode) Then
				If ping.StatusCode = 0 Then Exit Function
			End If
		Next
	Next
	Answers = False
End Function

' ---- re-enabling it --------------------------------------------------------------------

' Gives the way that worked, "" if none did. Not one of them is there in every Windows,
' and not every one says so when it fails: what counts is the connection's state. It is
' enabled whatever came of disabling it.
Function Restart(adapter)
	Dim way
	For Each way In Array("wmi", "devcon", "menu")
		If Switch(way, adapter, False) Then
			If way = "devcon" Then
				Restart = way
			ElseIf Becomes(False, 10) Then
				Restart = way
			End If
			EnableAgain way, adapter
			If Restart <> "" Then Exit Function
		End If
	Next
	Restart = ""
End Function

' A guest that nobody reaches any more is worse than one that is slow.
Sub EnableAgain(way, adapter)
	Dim i
	For i = 1 To 3
		Switch way, adapter, True
		If Becomes(True, 10) Then Exit Sub
	Next
End Sub

' False where this way isn't open.
Function Switch(way, adapter, enable)
	Switch = False
	On Error Resume Next
	Select Case way
	Case "wmi"
		Switch = ByWmi(adapter, enable)
	Case "devcon"
		Switch = ByDevcon(adapter, enable)
	Case "menu"
		Switch = ByMenu(enable)
	End Select
	If Err.Number <> 0 Then Switch = False
	On Error GoTo 0
End Function

' Vista and newer.
Function ByWmi(adapter, enable)
	If enable Then
		ByWmi = adapter.Enable() = 0
	Else
		ByWmi = adapter.Disable() = 0
	End If
End Function

' By "restart", which is one step; its 0 can be believed.
Function ByDevcon(adapter, enable)
	ByDevcon = enable
	If enable Or settings("devcon") = "" Then Exit Function
	If Not files.FileExists(settings("devcon")) Then Exit Function
	ByDevcon = shell.Run("""" & settings("devcon") & """ restart ""@" & _
		adapter.PNPDeviceID & """", 0, True) = 0
End Function

' What somebody would do with the mouse; it depends on the language.
Function ByMenu(enable)
	Dim folder, item, verb, wanted
	ByMenu = False
	wanted = settings("disable")
	If enable Then wanted = settings("enable")
	Set folder = CreateObject("Shell.Application").Namespace(NETWORK_CONNECTIONS)
	For Each item In folder.Items
		If LCase(item.Name) = LCase(settings("interface")) Then
			For Each verb In item.Verbs
				If LCase(Replace(verb.Name, "&", "")) = LCase(wanted) Then
					verb.DoIt
					ByMenu = True
					' The shell works on after this, but not after our end.
					WScript.Sleep 3000
					Exit Function
				End If
			Next
		End If
	Next
End Function

' ---- what is kept from run to run ------------------------------------------------------

Function Stamp()
	Stamp = CStr(Int(CDbl(Now) * 1440))
End Function

' A clock that was set back ends the rest.
Function Resting()
	Dim minutes
	Resting = False
	If Not IsNumeric(Recall(LAST)) Then Exit Function
	minutes = CDbl(Stamp()) - CDbl(Recall(LAST))
	Resting = minutes >= 0 And minutes < Count("pause")
End Function

Function Recall(name)
	Recall = ""
	On Error Resume Next
	Recall = CStr(shell.RegRead(name))
	On Error GoTo 0
End Function

Sub Forget(name)
	If checking Then Exit Sub
	On Error Resume Next
	shell.RegDelete name
	On Error GoTo 0
End Sub

' Under //B and wscript nobody is there to read.
Sub Tell(what)
	If checking Then WScript.Echo "netwatch: " & what
End Sub
