' SPDX-License-Identifier: LGPL-2.1-or-later
'
' What netwatch.vbs sees of Windows, made up: tests/lab/windows_kit.test puts this behind
' it. `facts` says how the guest fares; what is done to it is printed.

Class FakeWmi
	Function InstancesOf(name)
		Dim adapter
		Set adapter = New FakeAdapter
		InstancesOf = Array(adapter)
	End Function
	Function ExecQuery(query)
		Dim found
		If InStr(query, "Win32_PingStatus") > 0 Then
			Set found = New FakePing
			found.Send query
		Else
			Set found = New FakeConfiguration
			found.DefaultIPGateway = Null
			If facts("status") = "2" Then found.DefaultIPGateway = Array("10.0.0.1")
		End If
		ExecQuery = Array(found)
	End Function
End Class

Class FakePing
	Dim StatusCode
	Sub Send(query)
		StatusCode = Null
		If InStr(query, "'10.0.0.1'") > 0 And facts("answers") = "yes" Then StatusCode = 0
	End Sub
End Class

Class FakeConfiguration
	Dim DefaultIPGateway
End Class

Class FakeAdapter
	Property Get NetConnectionID
		NetConnectionID = "Local Area Connection"
	End Property
	Property Get NetConnectionStatus
		NetConnectionStatus = CLng(facts("status"))
	End Property
	Property Get Index
		Index = 1
	End Property
	Property Get PNPDeviceID
		PNPDeviceID = "PCI\VEN_1AF4&DEV_1000"
	End Property
	Function Disable()
		If facts("wmi") = "no" Then Err.Raise 438
		WScript.Echo "disabled"
		facts("status") = "0"
		Disable = 0
	End Function
	Function Enable()
		If facts("wmi") = "no" Then Err.Raise 438
		WScript.Echo "enabled"
		facts("stubborn") = CLng(facts("stubborn")) - 1
		If facts("stubborn") < 0 Then facts("status") = "2"
		If facts("helps") = "yes" Then facts("answers") = "yes"
		Enable = 0
	End Function
End Class

Class FakeShell
	Function RegRead(name)
		If facts(name) = "" Then Err.Raise 5
		RegRead = facts(name)
	End Function
	Sub RegWrite(name, value, kind)
		facts(name) = value
	End Sub
	Sub RegDelete(name)
		facts(name) = ""
	End Sub
	Sub LogEvent(kind, text)
		WScript.Echo "event " & kind & ": " & text
	End Sub
	Function Run(command, window, wait)
		WScript.Echo "run: " & command
		Run = 0
	End Function
End Class
